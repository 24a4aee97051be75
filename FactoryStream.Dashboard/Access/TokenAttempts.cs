using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using FactoryStream.ServiceDefaults.Http;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Access;

/// <summary>What came of a token that somebody sent.</summary>
/// <param name="Holder">Whose it is; null: it is none of the settings'.</param>
/// <param name="RetryAfter">Not null: it was not looked at, for too many wrong ones came from there; when the next one will be.</param>
internal readonly record struct TokenAttempt(ClaimsPrincipal? Holder, TimeSpan? RetryAfter);

/// <summary>
/// Looks at tokens, and at no more from an address that has sent ten different wrong ones within a minute: who guesses gets nowhere, and a
/// program that goes on sending its one outdated token locks nobody out.
/// </summary>
internal sealed class TokenAttempts(IOptions<AccessOptions> options, TimeProvider time)
{
    /// <summary>Different wrong tokens of an address in a minute.</summary>
    public const int MostWrong = 10;

    /// <summary>More than so many at once have sent wrong ones: the newest are not counted, so that memory is bounded.</summary>
    private const int MostAddresses = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, Wrong> wrong = [];

    /// <summary>The holder of a token, unless too many wrong ones came from that address.</summary>
    /// <param name="token">What was sent.</param>
    /// <param name="from">From where; IPv6 counts by its network of 64 bits, which is one customer's.</param>
    public TokenAttempt Try(string token, IPAddress? from)
    {
        var address = Network(from ?? IPAddress.None);
        lock (gate)
        {
            if (Find(address) is { Tokens.Count: >= MostWrong } found)
                return new(null, Window - time.GetElapsedTime(found.Since));
        }
        if (TokenHolder.Find(options.Value, token) is { } holder)
            return new(holder, null);
        lock (gate)
        {
            var counted = Find(address) ?? Begin(address);
            counted?.Tokens.Add(Convert.ToHexString(BearerToken.Digest(token)));
        }
        return default;
    }

    private Wrong? Find(IPAddress address) =>
        wrong.TryGetValue(address, out var found) && time.GetElapsedTime(found.Since) < Window ? found : null;

    private Wrong? Begin(IPAddress address)
    {
        if (wrong.Count >= MostAddresses)
        {
            foreach (var (old, _) in wrong.Where(entry => time.GetElapsedTime(entry.Value.Since) >= Window).ToArray())
                wrong.Remove(old);
        }
        return wrong.Count < MostAddresses ? wrong[address] = new(time.GetTimestamp(), []) : null;
    }

    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new(bytes);
    }

    private sealed record Wrong(long Since, HashSet<string> Tokens);
}
