using System.ComponentModel.DataAnnotations;

namespace FactoryStream.ServiceDefaults;

/// <summary>
/// How a service tells of itself; section <c>Telemetry</c>. Where to, the standard variables say (<c>OTEL_EXPORTER_OTLP_*</c>).
/// </summary>
public sealed class TelemetryOptions
{
    /// <summary>The name of the configuration section.</summary>
    public const string Section = "Telemetry";

    /// <summary>
    /// Traces that this process may begin, a second. Traces begun elsewhere go on as they were sampled. 0: none. -1: all. Default 5.
    /// </summary>
    [Range(-1, 1_000_000)]
    public double TracesPerSecond { get; set; } = 5;

    /// <summary>Serves all metrics at <c>/metrics</c> for Prometheus to read. Default: no.</summary>
    public bool PrometheusEndpoint { get; set; }
}
