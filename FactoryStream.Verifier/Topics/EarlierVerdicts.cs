using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Kafka;
using FactoryStream.Verifier.Verification;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// The verdicts on a partition's messages, from an offset on, that were given before this replica had it. A Verifier that dies between a
/// rejection and the verified message that names it, or before its offset is committed, leaves verdicts that its successor must repeat: by
/// other keys they might come out differently, and a reading would be both stored and rejected. Built from the headers of
/// <c>readings.rejected</c> and
/// <c>readings.verified</c>, each in its topic's order; it knows no Kafka client.
/// </summary>
/// <param name="from">The first offset that anything is asked of.</param>
/// <param name="topicId">The id of <c>readings.signed</c>; what is of another topic is of other messages.</param>
internal sealed class EarlierVerdicts(long from, string topicId)
{
    private readonly Dictionary<SourcePosition, EarlierRejection> rejections = [];
    private readonly Dictionary<long, IReadOnlyList<SourceRejection>> verified = [];

    /// <summary>
    /// The last line that was rejected; every line before it that was not was accepted, for a partition's rejections keep their order.
    /// </summary>
    public SourcePosition LastRejected { get; private set; } = SourcePosition.None;

    /// <summary>The last message that a verified message is for; everything before it has its verdicts, too.</summary>
    public long LastVerified { get; private set; } = -1;

    /// <summary>The last message of which anything is known.</summary>
    public long LastOffset => Math.Max(LastRejected.Offset, LastVerified);

    /// <summary>Takes in a message of <c>readings.rejected</c>.</summary>
    /// <returns>It is the Verifier's, of this topic, and of a message before the first that is asked of: all after it has been
    /// seen.</returns>
    public bool AddRejected(Headers? headers)
    {
        if (
            headers.Text(MessageHeaders.RejectedBy) != MessageHeaders.ByVerifier
            || headers.Text(MessageHeaders.SourceTopicId) != topicId
            || !SourcePosition.TryParse(headers.Text(MessageHeaders.Source), out var source)
            || headers.Text(MessageHeaders.Reason) is not { } reason
            || !VerdictNames.TryParse(reason, out var verdict)
            || verdict == Verdict.Accepted
        )
            return false;
        if (source.Offset < from)
            return true;
        var factoryId = headers.Text(MessageHeaders.FactoryId) ?? "";
        var ledger = headers.Text(MessageHeaders.Ledger) == MessageHeaders.LedgerUnknown ? "" : factoryId;
        if (!int.TryParse(headers.Text(MessageHeaders.Readings), NumberStyles.None, CultureInfo.InvariantCulture, out var readings))
            readings = 1;
        // The first one counts downstream.
        rejections.TryAdd(source, new(verdict, headers.Text(MessageHeaders.Detail), ledger, readings));
        if (source > LastRejected)
            LastRejected = source;
        return false;
    }

    /// <summary>Takes in a message of <c>readings.verified</c>.</summary>
    /// <returns>As <see cref="AddRejected"/>.</returns>
    public bool AddVerified(Headers? headers)
    {
        if (
            headers.Text(MessageHeaders.SourceTopicId) != topicId
            || headers.Text(MessageHeaders.Source) is not { } source
            || !SourcePositions.TryParse(source, out var messages)
        )
            return false;
        foreach (var message in messages)
        {
            if (message.Offset < from)
                continue;
            verified.TryAdd(message.Offset, message.Rejected);
            LastVerified = Math.Max(LastVerified, message.Offset);
        }
        return messages[0].Offset < from;
    }

    /// <summary>Whether the message has its verdicts, and which of its lines were rejected; the others were accepted.</summary>
    public bool HasVerdicts(long offset, [NotNullWhen(true)] out IReadOnlyList<SourceRejection>? rejected) =>
        verified.TryGetValue(offset, out rejected);

    /// <summary>Whether a line's rejection is written.</summary>
    public bool IsRejected(SourcePosition source, out EarlierRejection rejection) => rejections.TryGetValue(source, out rejection);

    /// <summary>
    /// Gives a message's lines the verdicts that were given before, of which only the rejections are written. A line before the last of
    /// those was accepted if it was not rejected; where a key would now reject it (it was revoked as from an earlier time), it is
    /// accepted again.
    /// </summary>
    public void Apply(long offset, Span<CheckedLine> lines)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            ref var line = ref lines[i];
            var source = new SourcePosition(offset, i);
            if (IsRejected(source, out var rejection))
                line.Reject(rejection.Verdict, rejection.Detail);
            else if (line.Verdict != Verdict.Accepted && line.Key is not null && source < LastRejected)
                line.Accept();
        }
    }
}

/// <summary>A rejection that was written before.</summary>
/// <param name="Verdict">Its reason.</param>
/// <param name="Detail">The reason in words; null: none were written.</param>
/// <param name="Ledger">The factory in whose ledger it is counted; "" where there is none.</param>
/// <param name="Readings">How many readings it counts.</param>
internal readonly record struct EarlierRejection(Verdict Verdict, string? Detail, string Ledger, int Readings);
