using System.Net;

namespace FactoryStream.Dashboard.Access;

/// <summary>Requests of whoever is on the Dashboard's own machine.</summary>
internal static class ThisMachine
{
    /// <summary>
    /// The connection comes from the loopback address, and nothing says that somebody else stands behind it: no proxy's header, no name of
    /// another machine, no page of another site.
    /// </summary>
    public static bool IsCalling(HttpRequest request) =>
        request.HttpContext.Connection.RemoteIpAddress is { } remote
        && IPAddress.IsLoopback(remote)
        // What a known proxy says was taken out of the headers, and its client's address in: what is left is of an unknown one.
        && !request.Headers.ContainsKey("X-Forwarded-For")
        && !request.Headers.ContainsKey("Forwarded")
        // A name of the world's that was made to lead here: its pages must not read what only this machine may see.
        && IsOwnName(request.Host.Host)
        // Browsers let any page open a WebSocket anywhere, and say whose page it is.
        && (request.Headers.Origin.ToString() is var origin && (origin.Length == 0 || IsOwn(origin, request)));

    private static bool IsOwnName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static bool IsOwn(string origin, HttpRequest request) =>
        origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
}
