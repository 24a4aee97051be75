using System.Text.Json;
using System.Text.Json.Serialization;

namespace FactoryStream.Dashboard.Redrives;

/// <summary>Which rejections of a factory are meant; null: any.</summary>
/// <param name="FactoryId">The factory that their lines name.</param>
/// <param name="Reason">A verdict's name.</param>
/// <param name="From">Rejected at or after this, UTC.</param>
/// <param name="To">Rejected before this, UTC.</param>
/// <param name="Ids">These rejections alone.</param>
/// <param name="Again">Also those that a re-drive has sent before.</param>
/// <param name="EngineId">Lines with a reading of this engine alone.</param>
public sealed record RedriveSelection(
    string FactoryId,
    string? Reason = null,
    DateTime? From = null,
    DateTime? To = null,
    IReadOnlyList<long>? Ids = null,
    bool Again = false,
    string? EngineId = null
);

/// <summary>A re-drive: rejections of one factory that are sent to Ingest again.</summary>
/// <param name="Id">A later one has a higher.</param>
/// <param name="FactoryId">Whose rejections they are.</param>
/// <param name="AskedBy">Who asked for it, as in audit events.</param>
/// <param name="AskedAt">When, UTC.</param>
/// <param name="Selection">Which rejections.</param>
/// <param name="Matched">Lines of the selection when it was asked for.</param>
/// <param name="Sent">Lines that Ingest has taken.</param>
/// <param name="Refused">Lines that Ingest has refused.</param>
/// <param name="Unavailable">Lines that were not kept whole and so cannot be sent.</param>
/// <param name="Readings">Readings that Ingest has accepted: a batch counts as many as it holds.</param>
/// <param name="State"><c>running</c>, <c>complete</c>, <c>stopped</c> or <c>failed</c>.</param>
/// <param name="Detail">What it waits for, or why it failed; null: neither.</param>
/// <param name="EndedAt">When it was over, UTC; null while it runs.</param>
internal sealed record Redrive(
    long Id,
    string FactoryId,
    string AskedBy,
    DateTime AskedAt,
    RedriveSelection Selection,
    long Matched,
    long Sent,
    long Refused,
    long Unavailable,
    long Readings,
    string State,
    string? Detail,
    DateTime? EndedAt
)
{
    public const string Running = "running";

    [JsonIgnore]
    public bool IsRunning => State == Running;
}

/// <summary>What a re-drive would send.</summary>
/// <param name="Matched">Lines of the selection.</param>
/// <param name="Readings">Readings that they count: more than one of a batch.</param>
/// <param name="Unavailable">Those of the lines that were not kept whole and so cannot be sent.</param>
/// <param name="ByReason">The lines by why they were rejected.</param>
public sealed record RedrivePreview(long Matched, long Readings, long Unavailable, IReadOnlyDictionary<string, long> ByReason)
{
    /// <summary>Lines that can be sent.</summary>
    [JsonIgnore]
    public long Sendable => Matched - Unavailable;
}

/// <summary>The answer of <c>/api/redrives</c>.</summary>
/// <param name="Redrives">The newest first.</param>
/// <param name="NextCursor">What to give as <c>cursor</c> for the next page; null: there are no more.</param>
internal sealed record RedrivesResponse(IReadOnlyList<Redrive> Redrives, string? NextCursor);

/// <summary>Selections as they are kept.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RedriveSelection))]
internal sealed partial class RedriveJson : JsonSerializerContext;
