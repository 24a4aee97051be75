using Microsoft.AspNetCore.Http;

namespace FactoryStream.ServiceDefaults.Http;

/// <summary>
/// For whom a service acts that sends another its admin token: a header of requests that only the token's holder is believed.
/// </summary>
public static class ActingFor
{
    // What somebody is called who sends the token without a word.
    private const string TokenHolder = "admin token";

    private const string Header = "Acting-For";
    private const int MaxLength = 128;

    /// <summary>Says for whom; headers are ASCII, so the name is escaped.</summary>
    /// <param name="request">The request before it is sent.</param>
    /// <param name="name">The name of whoever asked for it.</param>
    public static void Set(HttpRequestMessage request, string name) => request.Headers.Add(Header, Uri.EscapeDataString(name));

    /// <summary>Who asked for it, as it may be stored: at most 128 characters, none of them a control character.</summary>
    /// <param name="request">A request whose token was found right.</param>
    public static string Of(HttpRequest request)
    {
        var name = Uri.UnescapeDataString(request.Headers[Header].ToString());
        var kept = string.Concat(name.EnumerateRunes().Where(rune => !System.Text.Rune.IsControl(rune)).Take(MaxLength)).Trim();
        return kept.Length > 0 ? kept : TokenHolder;
    }
}
