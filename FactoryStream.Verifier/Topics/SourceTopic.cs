using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Verifier.Topics;

/// <summary>
/// Which <c>readings.signed</c> is answered: a topic that is deleted and made anew has another id, and its offsets mean other messages.
/// </summary>
internal sealed class SourceTopic
{
    /// <summary>Its id as all answers carry it; empty before it is known.</summary>
    public byte[] IdUtf8 { get; private set; } = [];

    public string Id => Encoding.UTF8.GetString(IdUtf8);

    /// <summary>Raised by an assignment: the topic may be another one than before.</summary>
    public bool MustIdentify { get; private set; } = true;

    /// <summary>The topic may have been made anew.</summary>
    public void Doubt() => MustIdentify = true;

    /// <summary>All answers from here on are about the topic of this id.</summary>
    /// <exception cref="InvalidOperationException">It is not the one before: whatever is still in hand is about messages that are no
    /// more.</exception>
    public void Identify(string topicId)
    {
        var id = Encoding.UTF8.GetBytes(topicId);
        if (IdUtf8.Length > 0 && !IdUtf8.AsSpan().SequenceEqual(id))
            throw new InvalidOperationException($"The topic {TopicNames.Signed} was made anew; starting over.");
        IdUtf8 = id;
        MustIdentify = false;
    }
}
