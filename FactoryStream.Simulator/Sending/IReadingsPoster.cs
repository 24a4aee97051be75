namespace FactoryStream.Simulator.Sending;

/// <summary>
/// One <c>POST /readings</c> of lines, over <see cref="HttpClient"/> or, where its cost would show, over a bare connection.
/// </summary>
internal interface IReadingsPoster
{
    /// <summary>Sends the lines once. What the network or Ingest does is in the answer; it throws for cancellation only.</summary>
    ValueTask<PostAnswer> PostAsync(ReadOnlyMemory<byte> lines, CancellationToken cancellationToken);
}
