using System.Net;
using System.Net.Sockets;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>Which addresses are of the public network: pure.</summary>
internal static class PublicAddresses
{
    // All that is not for the public network, by IANA's registry of special-purpose addresses.
    private static readonly IPNetwork[] NotPublic =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
            // These hold an address of IPv4, which may be any (Teredo, 6to4), or are for documents alone.
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
        }.Select(network => IPNetwork.Parse(network)),
    ];

    // Of IPv6 only this part is in public use: loopback, link-local, unique local and mapped addresses are not in it.
    private static readonly IPNetwork PublicIPv6 = IPNetwork.Parse("2000::/3");

    /// <summary>Whether an address is neither this machine's own nor private, link-local or of another special use.</summary>
    public static bool Contain(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return (plain.AddressFamily == AddressFamily.InterNetwork || PublicIPv6.Contains(plain))
            && !Array.Exists(NotPublic, network => network.Contains(plain));
    }
}
