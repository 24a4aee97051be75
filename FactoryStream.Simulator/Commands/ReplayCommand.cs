using System.CommandLine;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Factories;
using FactoryStream.Simulator.Replay;
using FactoryStream.Simulator.Sending;

namespace FactoryStream.Simulator.Commands;

/// <summary><c>replay</c>: recordings as engines of a factory.</summary>
internal static class ReplayCommand
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);

    private sealed record Settings(
        string[] Csv,
        string? Factory,
        string? From,
        string? Save,
        CsvForm Form,
        bool Now,
        double? Speed,
        SaltLength Salt,
        TimeSpan GiveUpAfter,
        Addresses Addresses,
        KeyFolder Keys,
        string? AdminToken
    );

    public static Command Create()
    {
        var csv = new Option<string[]>("--csv")
        {
            Description =
                "Recordings: a header, the time (UTC) in the first column, a metric in each other. Each file is an engine, named "
                + "as the file without its ending",
            HelpName = "FILE...",
            AllowMultipleArgumentsPerToken = true,
        };
        var factory = new Option<string?>("--factory")
        {
            Description = "The factory whose engines they are; needed with --csv",
            HelpName = "ID",
        };
        var labels = new Option<string[]>("--labels")
        {
            Description = "Columns that are no metrics and left out [default: anomaly changepoint]",
            HelpName = "COLUMN...",
            AllowMultipleArgumentsPerToken = true,
        };
        var form = new CsvFormOptions();
        var now = new Option<bool>("--now")
        {
            Description =
                "Move each engine's times so that all engines begin together and the replay is of now; a reading is never ahead of "
                + "the clock. Otherwise the times are kept to the byte",
        };
        var speed = new Option<double?>("--speed")
        {
            Description = "Times real time, by the readings' own times [default: flat out]",
            HelpName = "N",
        };
        var save = new Option<string?>("--save")
        {
            Description = "Also write the signed readings to this file, a line each",
            HelpName = "FILE",
        };
        var from = new Option<string?>("--from")
        {
            Description = "Send a file that --save wrote, the same to the last byte of each signature, instead of --csv",
            HelpName = "FILE",
        };
        speed.Validators.Add(result =>
        {
            if (result.Errors.Any() is false && result.GetValueOrDefault<double?>() is { } times && !(times > 0 && double.IsFinite(times)))
                result.AddError("--speed must be above 0.");
        });
        var (salt, giveUpAfter) = (SharedOptions.Salt(), SharedOptions.GiveUpAfter());
        var (ingest, verifier, keys, token) = (
            SharedOptions.Ingest(),
            SharedOptions.Verifier(),
            SharedOptions.Keys(),
            SharedOptions.AdminToken()
        );
        var command = new Command(
            "replay",
            "Sign and send recordings, woven by time as a plant would send them, each engine's order kept. What is signed depends "
                + "on the recording alone, so a second replay is all duplicates. "
                + "Ends with 0 when every reading was acknowledged."
        )
        {
            csv,
            factory,
            labels,
            form.Time,
            form.TimeFormat,
            form.Decimal,
            form.Separator,
            form.NoHeader,
            form.Engine,
            form.Missing,
            now,
            speed,
            save,
            from,
            salt,
            giveUpAfter,
            ingest,
            verifier,
            keys,
            token,
        };
        command.Validators.Add(result =>
        {
            var hasCsv = result.GetResult(csv) is { Tokens.Count: > 0 };
            if (hasCsv == result.GetResult(from) is { Tokens.Count: > 0 })
                result.AddError("What is to be replayed? Name recordings with --csv, or signed readings with --from.");
            if (hasCsv && result.GetResult(factory) is not { Tokens.Count: > 0 })
                result.AddError("--csv needs --factory: whose engines are they?");
            if (!hasCsv && (result.GetResult(save) is { Tokens.Count: > 0 } || result.GetResult(now) is { Implicit: false }))
                result.AddError("--save and --now go with --csv: what --from sends is signed already.");
            form.Check(result, hasCsv, files: result.GetResult(csv)?.Tokens.Count ?? 0);
        });
        command.SetAction(
            (parsed, cancellationToken) =>
            {
                var environment = SharedOptions.Environment();
                var settings = new Settings(
                    parsed.GetValue(csv) ?? [],
                    parsed.GetValue(factory),
                    parsed.GetValue(from),
                    parsed.GetValue(save),
                    form.Of(
                        parsed,
                        parsed.GetResult(labels) is { Tokens.Count: > 0 } ? parsed.GetValue(labels)! : ["anomaly", "changepoint"]
                    ),
                    parsed.GetValue(now),
                    parsed.GetValue(speed),
                    SharedOptions.SaltOf(parsed, salt),
                    TimeSpan.FromSeconds(parsed.GetValue(giveUpAfter)),
                    Addresses.From(environment, parsed.GetValue(ingest), parsed.GetValue(verifier)),
                    SharedOptions.KeyFolderOf(environment, parsed.GetValue(keys)),
                    parsed.GetValue(token) ?? SharedOptions.AdminTokenSetting(environment)
                );
                return RunAsync(
                    settings,
                    parsed.InvocationConfiguration.Output,
                    parsed.InvocationConfiguration.Error,
                    TimeProvider.System,
                    cancellationToken
                );
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(
        Settings settings,
        TextWriter output,
        TextWriter error,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        // Everything is read once before anything is sent: a mistake in the last file shall not leave half a replay behind.
        var engines = Engines(settings);
        var spans = engines.Select(engine => (Engine: engine, Span: engine.Span())).Where(engine => engine.Span is not null).ToArray();
        var longest = spans.Length == 0 ? TimeSpan.Zero : spans.Max(engine => engine.Span!.Value.Last - engine.Span.Value.First);
        string[] factories = settings.From is { } file
            ? [.. new SignedFile(file).Factories().Order(StringComparer.Ordinal)]
            : [settings.Factory!];

        using var client = new HttpClient { Timeout = AnswerWithin };
        var enrolment = new Enrolment(client, settings.Addresses.Verifier, settings.AdminToken, time);
        var signers = new Dictionary<string, ReadingSigner>();
        foreach (var factoryId in factories)
        {
            if (settings.From is not null && !settings.Keys.Contains(factoryId))
            {
                await error.WriteLineAsync($"The key of {factoryId} is not in {settings.Keys.Path}: taken as enrolled.");
                continue;
            }
            signers[factoryId] = settings.Keys.GetOrCreate(factoryId);
            var isReported = false;
            await enrolment.EnrolAsync(
                factoryId,
                signers[factoryId].ExportPublicKeyPem(),
                why => Report(error, $"Waiting: {why}", ref isReported),
                settings.GiveUpAfter,
                cancellationToken
            );
        }

        IAsyncEnumerable<SignedLine> lines;
        if (settings.From is not null)
        {
            lines = new SignedFile(settings.From).Read().ToAsyncEnumerable();
        }
        else
        {
            var now = time.GetUtcNow().UtcDateTime;
            var readings = spans
                .Select(engine =>
                    engine.Engine.Read(
                        settings.Factory!,
                        settings.Now ? Timeline.ShiftToNow(engine.Span!.Value.First, longest, settings.Speed, now) : null
                    )
                )
                .ToArray();
            lines = SignAhead.LinesAsync(Timeline.Weave(readings), signers[settings.Factory!], settings.Salt, cancellationToken);
            if (settings.Save is not null)
                lines = SaveAsync(lines, settings.Save);
        }

        var started = time.GetTimestamp();
        var counts = new PostCounts();
        var isComplained = false;
        var delivery = new Delivery(
            new HttpClientPoster(client, settings.Addresses.Ingest, time),
            time,
            settings.GiveUpAfter,
            why =>
            {
                counts.Repeat(why);
                Report(error, $"Repeating: {why}", ref isComplained);
            }
        );
        await new ReplayRun(delivery, time, settings.Speed).SendAsync(lines, counts, cancellationToken);

        await output.WriteLineAsync(
            $"sent {counts.Sent}, acknowledged {counts.Acknowledged}, rejected {counts.Refused}, repeated POSTs {counts.Repetitions}, "
                + $"in {time.GetElapsedTime(started).TotalSeconds:0.0} s"
        );
        foreach (var (reason, count) in counts.RefusedByReason)
            await output.WriteLineAsync($"  {reason}: {count}");
        if (counts.Failure is not null)
            await error.WriteLineAsync($"error: {counts.Failure}");
        if (counts.Sent == 0)
            await error.WriteLineAsync("error: there was no reading to send.");
        return counts.IsComplete && counts.Sent > 0 ? 0 : 1;
    }

    private static CsvEngine[] Engines(Settings settings)
    {
        var engines = settings.Csv.Select(file => new CsvEngine(file, settings.Form)).ToArray();
        // Files whose rows name their engines may share them: each keeps its own order.
        var twice = engines
            .Where(engine => engine.EngineId is not null)
            .GroupBy(engine => engine.EngineId)
            .FirstOrDefault(group => group.Count() > 1);
        return twice is null ? engines : throw new UsageException($"Two files are named {twice.Key}: they would be one engine.");
    }

    private static async IAsyncEnumerable<SignedLine> SaveAsync(IAsyncEnumerable<SignedLine> lines, string path)
    {
        await using var file = Create(path);
        await foreach (var line in lines)
        {
            await file.WriteAsync(line.Line);
            yield return line;
        }
    }

    private static FileStream Create(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 20);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{path} cannot be written: {exception.Message}", exception);
        }
    }

    private static void Report(TextWriter error, string what, ref bool isReported)
    {
        // Once: the outcome at the end says how often.
        if (!isReported)
            error.WriteLine(what);
        isReported = true;
    }
}
