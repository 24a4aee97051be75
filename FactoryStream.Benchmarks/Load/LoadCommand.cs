using System.CommandLine;
using System.Text.Json;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Commands;
using FactoryStream.Simulator.Factories;
using FactoryStream.Simulator.Sending;

namespace FactoryStream.Benchmarks.Load;

/// <summary><c>load</c>: as many readings as asked, signed ahead, and how they were answered.</summary>
internal static class LoadCommand
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        var options = new CorpusOptions();
        var connections = new Option<int>("--connections")
        {
            Description =
                "Connections to Ingest, one POST under way on each; a factory keeps to one, so there are at most as many as factories",
            HelpName = "N",
            DefaultValueFactory = _ => 10,
        }.Bounded(1, 9_999);
        var corpusFile = new Option<string?>("--corpus")
        {
            Description =
                "Send this corpus (see 'sign'); if there is no such file, keep what is signed there. --lines may be a divisor of "
                + "what it was signed with",
            HelpName = "FILE",
        };
        var report = new Option<string?>("--out") { Description = "Write the result as JSON", HelpName = "FILE" };
        var (giveUpAfter, ingest, verifier, keys, token) = (
            SharedOptions.GiveUpAfter(),
            SharedOptions.Ingest(),
            SharedOptions.Verifier(),
            SharedOptions.Keys(),
            SharedOptions.AdminToken()
        );
        var command = new Command(
            "load",
            "Sign readings ahead, then send them at a rate or flat out, and say how Ingest answered. Every reading is a different "
                + "one. With a rate, each POST is due at its instant and its time to the answer counts from there, repetitions included. "
                + "Event times: with a rate each reading is measured at the very instant it is due ('--start live'), so that "
                + "measured-to-committed times can be read from the database; "
                + "flat out the times end when signing begins ('--start past'), spread as if the readings lasted for the seconds "
                + "asked, so each engine's time goes on as fast as a clock's. No reading is ever sent before it was measured. "
                + "Ends with 0 when every reading was acknowledged."
        )
        {
            connections,
            corpusFile,
            report,
            giveUpAfter,
            ingest,
            verifier,
            keys,
            token,
        };
        options.AddTo(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                var environment = SharedOptions.Environment();
                var addresses = Addresses.From(environment, parsed.GetValue(ingest), parsed.GetValue(verifier));
                var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
                var time = TimeProvider.System;
                var bar = new ProgressBar(error);
                var limit = TimeSpan.FromSeconds(parsed.GetValue(giveUpAfter));
                var path = parsed.GetValue(corpusFile);
                var saved = path is not null && File.Exists(path) ? CorpusPlan.Read(path) : null;

                // Keys first: who cannot enrol shall know before minutes of signing.
                var signers = Signing.Signers(
                    SharedOptions.KeyFolderOf(environment, parsed.GetValue(keys)),
                    saved?.FactoryPrefix ?? parsed.GetValue(options.Prefix)!,
                    saved?.Factories ?? parsed.GetValue(options.Factories)
                );
                using (var client = new HttpClient { Timeout = AnswerWithin })
                {
                    var enrolment = new Enrolment(
                        client,
                        addresses.Verifier,
                        parsed.GetValue(token) ?? SharedOptions.AdminTokenSetting(environment),
                        time
                    );
                    var prefix = saved?.FactoryPrefix ?? parsed.GetValue(options.Prefix)!;
                    await Parallel.ForAsync(
                        0,
                        signers.Length,
                        cancellationToken,
                        async (i, stopped) =>
                            await enrolment.EnrolAsync($"{prefix}_{i + 1:D3}", signers[i].ExportPublicKeyPem(), null, limit, stopped)
                    );
                }

                var plan = saved;
                FileStream file;
                if (plan is not null)
                {
                    file = CorpusFile.OpenRead(path!);
                }
                else
                {
                    plan = options.Plan(
                        parsed,
                        time.GetUtcNow().UtcDateTime,
                        () => Signing.MeasureRate(signers[0], SharedOptions.SaltOf(parsed, options.Salt))
                    );
                    file = path is null ? CorpusFile.CreateNameless() : CorpusFile.Create(path);
                    await Signing.WriteAsync(plan, signers, file, bar, cancellationToken);
                    if (path is not null)
                        plan.Save(path);
                }

                var rate = parsed.GetValue(options.Rate);
                using var corpus = Corpus.Open(
                    file,
                    plan,
                    saved is not null && parsed.GetValue(options.Lines) is { } lines ? lines * plan.PerSignature : plan.Post
                );
                // What was signed for a rate is sent whole; flat out, or from a corpus of whatever size, the seconds end it.
                TimeSpan? stopAfter =
                    (saved is null && rate > 0) || (saved is not null && parsed.GetResult(options.Seconds) is not { Implicit: false })
                        ? null
                        : TimeSpan.FromSeconds(parsed.GetValue(options.Seconds));
                var result = await RunAsync(
                    corpus,
                    rate,
                    Math.Min(parsed.GetValue(connections), plan.Factories),
                    addresses.Ingest,
                    limit,
                    stopAfter,
                    bar,
                    time,
                    cancellationToken
                );

                await WriteAsync(output, result);
                if (parsed.GetValue(report) is { } target)
                    await File.WriteAllBytesAsync(
                        target,
                        JsonSerializer.SerializeToUtf8Bytes(result, LoadJson.Default.LoadReport),
                        cancellationToken
                    );
                if (result.Failure is not null)
                    await error.WriteLineAsync($"error: {result.Failure}");
                return result.Failure is null && result.Acknowledged == result.Sent ? 0 : 1;
            }
        );
        return command;
    }

    private static async Task<LoadReport> RunAsync(
        Corpus corpus,
        double rate,
        int connections,
        Uri ingest,
        TimeSpan limit,
        TimeSpan? stopAfter,
        ProgressBar bar,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var open = Enumerable.Range(0, connections).Select(_ => new HttpConnection(ingest, time, AnswerWithin)).ToArray();
        try
        {
            var next = -1;
            var run = new LoadRun(
                corpus,
                rate,
                connections,
                repeating => new Delivery(open[Interlocked.Increment(ref next)], time, limit, repeating),
                time
            );
            LoadReport? report = null;
            await bar.ShowAsync(
                $"Sending {corpus.Plan.Readings} readings",
                corpus.Plan.Readings,
                () => run.Counts.Acknowledged,
                () =>
                    $"{run.Counts.Acknowledged} acknowledged, {run.Counts.Repetitions} POSTs "
                    + $"repeated{(run.Counts.Complaint is { } why ? $" (last: {why})" : "")}",
                async () => report = await run.RunAsync(stopAfter, cancellationToken)
            );
            return report!;
        }
        finally
        {
            foreach (var connection in open)
                connection.Dispose();
        }
    }

    private static async Task WriteAsync(TextWriter output, LoadReport report)
    {
        var ack = report.Ack;
        await output.WriteLineAsync(
            FormattableString.Invariant(
                $"""
                sent             {report.Sent}
                acknowledged     {report.Acknowledged}
                rejected         {report.Rejected.Values.Sum()}{string.Concat(
                    report.Rejected.Select(reason => $" {reason.Key}={reason.Value}")
                )}
                unacknowledged   {report.Unacknowledged}
                repeated POSTs   {report.RepeatedPosts} of {report.Posts}
                rate             {report.Rate:0} readings/s over {report.Seconds:0.00} s
                ack              p50 {ack.P50Ms:0.0} ms, p90 {ack.P90Ms:0.0} ms, p99 {ack.P99Ms:0.0} ms, max {ack.MaxMs:0.0} ms
                sender           {report.SenderCpuMicrosecondsPerReading:0.00} us CPU a reading
                """
            )
        );
    }
}
