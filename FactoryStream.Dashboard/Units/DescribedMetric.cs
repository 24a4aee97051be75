using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;
using FactoryStream.Contracts;
using FactoryStream.Storage;

namespace FactoryStream.Dashboard.Units;

/// <summary>A metric's name, and what people say of it.</summary>
/// <param name="Name">As the machines write it.</param>
/// <param name="Unit">The unit of its values; null: it has none, or nobody said.</param>
/// <param name="Description">What is measured; null: nobody said.</param>
/// <param name="Version">0: nobody has described it. Else what a change must give, and what goes up with it.</param>
/// <param name="UpdatedBy">Who described it last, as in audit events.</param>
/// <param name="UpdatedAt">When, UTC.</param>
/// <param name="IsMeasured">Whether an engine has sent it.</param>
public sealed record DescribedMetric(
    string Name,
    string? Unit,
    string? Description,
    int Version,
    string? UpdatedBy,
    DateTime? UpdatedAt,
    bool IsMeasured
)
{
    /// <summary>Whether somebody has described it.</summary>
    [JsonIgnore]
    public bool IsDescribed => Version > 0;
}

/// <summary>The answer of <c>GET /api/metrics</c>.</summary>
/// <param name="Metrics">By their names, byte for byte.</param>
/// <param name="NextCursor">What to give as <c>cursor</c> for the next page; null: there are no more.</param>
internal sealed record DescribedMetricsResponse(IReadOnlyList<DescribedMetric> Metrics, string? NextCursor);

/// <summary>The body of <c>PUT /api/metrics/{name}</c>.</summary>
/// <param name="Unit">The unit of its values; may be missing.</param>
/// <param name="Description">What is measured; may be missing.</param>
/// <param name="Version">The version that it changes; null or 0: nobody has described the metric.</param>
internal sealed record MetricRequest(string? Unit, string? Description, int? Version)
{
    /// <summary>Whether it describes a metric.</summary>
    /// <param name="valid">The same without the spaces around, and null where nothing is left.</param>
    /// <param name="error">The member that is wrong, what was expected and what was found.</param>
    public bool TryValidate([NotNullWhen(true)] out MetricRequest? valid, [NotNullWhen(false)] out string? error)
    {
        var (unit, description) = (Text(Unit), Text(Description));
        error =
            unit is null && description is null
                ? "unit: expected a unit, or a description, or both; found none"
                : Error("unit", unit, DescribedMetricRow.MaxUnitLength)
                    ?? Error("description", description, DescribedMetricRow.MaxDescriptionLength)
                    ?? (
                        Version is < 0
                            ? string.Create(CultureInfo.InvariantCulture, $"version: expected 0 or the metric's version, found {Version}")
                            : null
                    );
        valid = error is null ? new(unit, description, Version ?? 0) : null;
        return valid is not null;
    }

    private static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static string? Error(string member, string? text, int most) =>
        text is null || StorableText.Of(text, most) == text
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{member}: expected at most {most} characters, none of them a control character"
            );
}
