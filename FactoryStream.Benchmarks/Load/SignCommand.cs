using System.CommandLine;
using FactoryStream.Simulator.Commands;

namespace FactoryStream.Benchmarks.Load;

/// <summary><c>sign</c>: a corpus ahead of its load.</summary>
internal static class SignCommand
{
    public static Command Create()
    {
        var options = new CorpusOptions();
        var target = new Option<string>("--out")
        {
            Description = "The corpus: signed readings, a line each; FILE.json beside it says what it holds",
            HelpName = "FILE",
            Required = true,
        };
        var keys = SharedOptions.Keys();
        var command = new Command(
            "sign",
            "Sign the readings of a load ahead, once for many runs. A machine signs some 1,700 readings a second and core and "
                + "Ingest takes many times that, so that a load flat out sends longer than it signs only from a corpus: "
                + "'sign --readings 1000000 --out c.ndjson' once, then 'load --corpus c.ndjson'. The same corpus sent to the same "
                + "database twice is all duplicates. Readings take about 605 bytes each, 0.6 GB a million."
        )
        {
            target,
            keys,
        };
        options.AddTo(command);
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                var path = parsed.GetValue(target)!;
                var error = parsed.InvocationConfiguration.Error;
                var signers = Signing.Signers(
                    SharedOptions.KeyFolderOf(SharedOptions.Environment(), parsed.GetValue(keys)),
                    parsed.GetValue(options.Prefix)!,
                    parsed.GetValue(options.Factories)
                );
                var plan = options.Plan(
                    parsed,
                    TimeProvider.System.GetUtcNow().UtcDateTime,
                    () => Signing.MeasureRate(signers[0], SharedOptions.SaltOf(parsed, options.Salt))
                );
                await using (var file = CorpusFile.Create(path))
                    await Signing.WriteAsync(plan, signers, file, new ProgressBar(error), cancellationToken);
                plan.Save(path);
                await parsed.InvocationConfiguration.Output.WriteLineAsync(
                    $"{plan.Readings} readings of {plan.Factories} x {plan.Engines} engines from "
                        + $"{plan.Start:yyyy-MM-dd HH:mm:ss.fff} over {plan.Span.TotalSeconds:0.0} s, "
                        + $"{new FileInfo(path).Length / 1e9:0.000} GB"
                );
                return 0;
            }
        );
        return command;
    }
}
