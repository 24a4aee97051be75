using System.Diagnostics;

namespace FactoryStream.Contracts;

/// <summary>Trace context through messages: the parent is the first sampled one, all others are links.</summary>
public static class MessageTracing
{
    /// <summary>Most links of one span; further messages are left out, for exporters and their back ends bound a span's size.</summary>
    public const int MaxLinks = 32;

    /// <summary>The context's <c>traceparent</c>, or null when it is not sampled: then nothing downstream need know of it.</summary>
    public static string? TraceParentOf(ActivityContext context) =>
        (context.TraceFlags & ActivityTraceFlags.Recorded) == 0 ? null : $"00-{context.TraceId}-{context.SpanId}-01";

    /// <summary>
    /// Starts a span over what several messages or requests brought: child of the first sampled context, linked to the others; null when
    /// none is sampled.
    /// </summary>
    public static Activity? StartLinked(this ActivitySource source, string name, ActivityKind kind, IReadOnlyList<ActivityContext> contexts)
    {
        if (contexts.Count == 0)
            return null;
        var links = contexts.Skip(1).Take(MaxLinks).Select(context => new ActivityLink(context));
        return source.StartActivity(name, kind, contexts[0], links: links);
    }

    /// <summary>Parses a <c>traceparent</c> header; false for none, a broken or an unsampled one.</summary>
    public static bool TryParse(string? traceParent, out ActivityContext context)
    {
        context = default;
        return traceParent is not null
            && ActivityContext.TryParse(traceParent, null, isRemote: true, out context)
            && (context.TraceFlags & ActivityTraceFlags.Recorded) != 0;
    }
}
