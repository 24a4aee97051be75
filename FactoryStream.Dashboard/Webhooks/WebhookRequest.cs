using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FactoryStream.Contracts;
using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>The body that makes or changes a webhook, before it is validated.</summary>
/// <param name="Url">Of http or https.</param>
/// <param name="Secret">Signs what is sent; null: one is made, or the old one stays.</param>
/// <param name="Severities">Of which alerts; null: of all.</param>
/// <param name="Description">What it is for.</param>
/// <param name="IsEnabled">Null: it is.</param>
/// <param name="Version">The version that is changed; null: whichever.</param>
internal sealed record WebhookRequest(
    string? Url,
    string? Secret,
    IReadOnlyList<string?>? Severities,
    string? Description,
    bool? IsEnabled,
    int? Version
)
{
    public const int MaxUrl = 2_048;
    public const int MaxDescription = 1_000;
    public const int MinSecret = 16;
    public const int MaxSecret = 256;

    public static bool IsHttp(Uri address) => address is { IsAbsoluteUri: true, Scheme: "http" or "https" };

    /// <summary>Whether it is a webhook.</summary>
    /// <param name="settings">The webhook, with what was left out.</param>
    /// <param name="error">The member that is wrong, what was expected and what was found; never the secret.</param>
    public bool TryValidate([NotNullWhen(true)] out WebhookSettings? settings, [NotNullWhen(false)] out string? error)
    {
        settings = null;
        error = UrlError() ?? SecretError() ?? SeveritiesError() ?? DescriptionError();
        if (error is not null)
            return false;
        var severities = AlertNames.All<AlertSeverity>().Where(name => Severities?.Contains(name) != false);
        settings = new(Url!, [.. severities], string.IsNullOrEmpty(Description) ? null : Description, IsEnabled ?? true);
        return true;
    }

    private string? UrlError() =>
        Url is { Length: <= MaxUrl }
        && !Url.Any(char.IsControl)
        && Uri.TryCreate(Url, UriKind.Absolute, out var address)
        && IsHttp(address)
        && address.UserInfo.Length == 0
            ? null
            : $"url: expected an address of http or https without a password, found {Found(Url)}";

    private string? SecretError() =>
        Secret is null || (Secret.Length is >= MinSecret and <= MaxSecret && Secret.All(letter => letter is > ' ' and < '\x7f'))
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"secret: expected {MinSecret} to {MaxSecret} visible characters of ASCII, found another"
            );

    private string? SeveritiesError()
    {
        var known = AlertNames.All<AlertSeverity>();
        if (Severities is null || (Severities.Count > 0 && Severities.All(name => known.Contains(name))))
            return null;
        var found = Severities.Count == 0 ? "none" : Found(Severities.First(name => !known.Contains(name)));
        return $"severities: expected one or more of {string.Join(", ", known)}, found {found}";
    }

    private string? DescriptionError() =>
        Description is null || (Description.Length <= MaxDescription && StorableText.Of(Description) == Description)
            ? null
            : $"description: expected at most {MaxDescription} characters without control characters, found another";

    private static string Found(string? text) => text is null ? "null" : $"'{text[..Math.Min(text.Length, 100)]}'";
}
