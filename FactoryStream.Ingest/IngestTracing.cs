using System.Diagnostics;

namespace FactoryStream.Ingest;

/// <summary>The spans of Ingest's own making; the server's are ASP.NET Core's.</summary>
internal static class IngestTracing
{
    public static ActivitySource Source { get; } = new("FactoryStream.Ingest");

    /// <summary>The current span's context when it is sampled, else default: nothing downstream need know of it.</summary>
    public static ActivityContext Current => Activity.Current is { Recorded: true } activity ? activity.Context : default;
}
