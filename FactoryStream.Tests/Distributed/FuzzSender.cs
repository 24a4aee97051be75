using System.Diagnostics;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text.Json;
using FactoryStream.Tests.Fuzz;

namespace FactoryStream.Tests.Distributed;

/// <summary>Posts mutants in every form that Ingest takes, and holds each answer against what the rules say of each line.</summary>
internal sealed class FuzzSender(RunningSystem system, FuzzLines lines, FuzzLedger ledger)
{
    private const int LinesPerBody = 400,
        ElementsPerBody = 100;

    /// <summary>Sends a share of the mutants, or as many as the time allows.</summary>
    /// <param name="share">How many mutants.</param>
    /// <param name="watch">Runs since the first one of all senders.</param>
    /// <param name="third">Is completed when a third of all senders' is sent.</param>
    public async Task SendAsync(int share, Stopwatch watch, TaskCompletionSource third)
    {
        var random = lines.Random;
        using var client = system.Client("ingest");
        var sent = 0;
        while (sent < share && watch.Elapsed < FuzzSettings.Limit)
        {
            var round = random.Next(10);
            if (round < 8)
            {
                var body = new MemoryStream();
                for (var line = 0; line < LinesPerBody; line++)
                    lines.Write(body, line, random.Next(8) == 0 ? "\r\n" : "\n");
                await PostAsync(client, "application/x-ndjson", body.ToArray(), random.Next(4) == 0, ExpectedLines.OfLines(body.ToArray()));
                sent += ledger.AddMutants(LinesPerBody);
            }
            else if (round == 8)
            {
                var elements = new List<byte[]>();
                for (var element = 0; element < ElementsPerBody; element++)
                {
                    if (element % FuzzLines.MutantsPerNeighbour == 0)
                        elements.Add(lines.Neighbour());
                    elements.Add(lines.NextJson());
                }
                elements.Add(lines.Neighbour());
                byte[] body = [(byte)'[', .. elements.SelectMany(element => element.Append((byte)',')).SkipLast(1), (byte)']'];
                await PostAsync(client, "application/json", body, random.Next(4) == 0, ExpectedLines.OfElements(elements));
                sent += ledger.AddMutants(ElementsPerBody);
            }
            else
            {
                for (var single = 0; single < 10; single++)
                {
                    var mutant = lines.Next().AsSpan().Trim(" \t\r\n"u8).ToArray();
                    // One that begins as an array or a byte order mark, or has lines, is of another form; that it is read as such is
                    // another test's.
                    if (mutant is [] or [(byte)'[', ..] or [0xEF, ..] || mutant.Contains((byte)'\n'))
                        continue;
                    await PostAsync(client, "application/json", mutant, random.Next(4) == 0, ExpectedLines.OfElements([mutant]));
                    sent += ledger.AddMutants(1);
                }
            }
            if (ledger.Mutants >= FuzzSettings.Mutants / 3 || watch.Elapsed > FuzzSettings.Limit / 3)
                third.TrySetResult();
        }
    }

    private async Task PostAsync(HttpClient client, string mediaType, byte[] body, bool isCompressed, ExpectedLines expected)
    {
        var given = Stopwatch.StartNew();
        while (true)
        {
            using var content = new ByteArrayContent(isCompressed ? Compress(body) : body);
            content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
            if (isCompressed)
                content.Headers.ContentEncoding.Add("gzip");
            using var response = await client.PostAsync("/readings", content);
            var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            var listed = answer
                .GetProperty("rejected")
                .EnumerateArray()
                .ToDictionary(line => line.GetProperty("line").GetInt32(), line => line.GetProperty("reason").GetString()!);
            Assert.Equal(listed.Count, answer.GetProperty("rejected_count").GetInt32());
            var told = (int)response.StatusCode;
            var isAgain = told == 429;
            foreach (var (line, reason) in listed)
                Assert.True(
                    expected.Refused.TryGetValue(line, out var refusal) && refusal.Reason == reason,
                    $"line {line} was refused as {reason}: {answer}"
                );
            ledger.Add(
                new ExpectedLines(
                    answer.GetProperty("accepted").GetInt64(),
                    listed.Keys.ToDictionary(line => line, line => expected.Refused[line])
                )
            );
            if (isAgain)
            {
                Assert.True(given.Elapsed < FuzzLedger.Standstill, $"After {given.Elapsed} there is still no room.");
                ledger.AddRetry();
                await Task.Delay(response.Headers.RetryAfter!.Delta!.Value, CancellationToken.None);
                continue;
            }
            var right =
                expected.Accepted > 0 ? 202
                : expected.Refused.Values.All(refusal => refusal.Reason == "too_large") ? 413
                : 400;
            Assert.True(
                (told, answer.GetProperty("accepted").GetInt64(), listed.Count) == (right, expected.Accepted, expected.Refused.Count),
                $"expected {right} with {expected.Accepted} accepted and {expected.Refused.Count} refused, but it was {told}: {answer}"
            );
            return;
        }
    }

    private static byte[] Compress(byte[] body)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(body);
        return compressed.ToArray();
    }
}
