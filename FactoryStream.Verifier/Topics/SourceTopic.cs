using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// Which <c>readings.signed</c> is verified: a topic that is deleted and made anew has another id, and its offsets mean other messages.
/// </summary>
internal sealed class SourceTopic
{
    /// <summary>Its id as all verdict messages carry it; empty before it is known.</summary>
    public byte[] IdUtf8 { get; private set; } = [];

    public string Id => Encoding.UTF8.GetString(IdUtf8);

    /// <summary>Raised by an assignment: the topic may be another one than before.</summary>
    public bool MustIdentify { get; private set; } = true;

    /// <summary>The topic may have been made anew.</summary>
    public void RequireIdentification() => MustIdentify = true;

    /// <summary>All verdicts from here on are about the topic of this id.</summary>
    /// <exception cref="InvalidOperationException">It is not the one before: what is still in memory is about messages that no longer
    /// exist.</exception>
    public void Identify(string topicId)
    {
        var id = Encoding.UTF8.GetBytes(topicId);
        if (IdUtf8.Length > 0 && !IdUtf8.AsSpan().SequenceEqual(id))
            throw new InvalidOperationException(
                $"The topic {TopicNames.Signed} was deleted and made anew. The Verifier ends, to begin with the new one."
            );
        IdUtf8 = id;
        MustIdentify = false;
    }
}
