using System.Diagnostics;
using System.Globalization;
using OpenTelemetry;

namespace FactoryStream.ServiceDefaults;

/// <summary>
/// Says on every span of messages where the broker is, as OpenTelemetry's conventions have it, so that tools show Kafka as its other end.
/// Of several brokers it is the first one named: which of them a message went to is known to the client's library alone. Must come before
/// the exporter.
/// </summary>
internal sealed class BrokerAddress : BaseProcessor<Activity>
{
    private readonly string? address;
    private readonly int port = 9092;

    /// <summary>Of a connection string: <c>host:port[,host:port...]</c>.</summary>
    public BrokerAddress(string? connectionString)
    {
        if (connectionString?.Split(',')[0].Trim() is not { Length: > 0 } first)
            return;
        address = first;
        if (
            first.LastIndexOf(':') is > 0 and var colon
            && int.TryParse(first.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var named)
        )
            (address, port) = (first[..colon], named);
    }

    public override void OnEnd(Activity data)
    {
        if (
            address is null
            || data.Kind is not (ActivityKind.Producer or ActivityKind.Consumer)
            || data.GetTagItem("messaging.system") is null
            || data.GetTagItem("server.address") is not null
        )
            return;
        data.SetTag("server.address", address);
        data.SetTag("server.port", port);
    }
}
