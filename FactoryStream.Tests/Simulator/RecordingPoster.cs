using System.Text;
using FactoryStream.Simulator.Sending;

namespace FactoryStream.Tests.Simulator;

/// <summary>Remembers what was posted and answers at once.</summary>
internal sealed class RecordingPoster : IReadingsPoster
{
    public List<string> Posts { get; } = [];

    public PostAnswer? Answer { get; init; }

    public ValueTask<PostAnswer> PostAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken)
    {
        Posts.Add(Encoding.UTF8.GetString(lines.Span));
        return new(Answer ?? new PostAnswer(PostOutcome.Answered, lines.Span.Count((byte)'\n')));
    }
}
