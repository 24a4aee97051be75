using System.CommandLine;
using FactoryStream.Audit.Evidence;
using FactoryStream.Contracts;

namespace FactoryStream.Audit;

/// <summary><c>audit</c>: exported evidence, checked again without the system that exported it.</summary>
internal static class AuditCommand
{
    private const int MostLinesNamed = 20;

    public static Command Create()
    {
        var file = new Argument<string>("FILE")
        {
            Description =
                "Exported readings: {\"data\": ..., \"signature\": ..., \"key_id\": ...}, or batches, {\"batch\": [...], "
                + "\"signature\": ..., \"key_id\": ...}, and behind them their readings, {\"data\": ..., \"batch_sha256\": "
                + "...}; a line each. Or a Parquet file that 'archive' wrote",
        };
        var keys = new Option<string[]>("--public-keys")
        {
            Description = "Public keys: the answer of GET /keys, or PEM blocks",
            HelpName = "FILE...",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command(
            "audit",
            "Check the signatures of exported readings offline, with the public keys alone. With the answer of GET /keys, validity "
                + "and revocation are checked by the time of measurement, as the Verifier does. A reading that was signed in a "
                + "batch is true when its batch is, and holds its very bytes. "
                + "Prints how many lines got which verdict; ends with 0 when all are accepted."
        )
        {
            file,
            keys,
        };
        command.Aliases.Add("verify");
        command.SetAction(
            (parsed, cancellationToken) =>
                Task.Run(
                    async () =>
                    {
                        var audit = new EvidenceAudit([.. parsed.GetValue(keys)!.SelectMany(PublicKeyFile.Read)]);
                        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
                        var named = 0;
                        var result = await audit.CheckAsync(
                            parsed.GetValue(file)!,
                            (line, verdict, detail) =>
                            {
                                if (++named <= MostLinesNamed)
                                    error.WriteLine($"line {line}: {verdict.ToName()}{(detail is null ? "" : $" ({detail})")}");
                                else if (named == MostLinesNamed + 1)
                                    error.WriteLine("... and more");
                            },
                            cancellationToken
                        );
                        foreach (var verdict in Enum.GetValues<Verdict>())
                        {
                            if (verdict == Verdict.Accepted || result[verdict] > 0)
                                await output.WriteLineAsync($"{verdict.ToName().PadRight(14)} {result[verdict]}");
                        }
                        if (result.Total == 0)
                            await error.WriteLineAsync("error: there is nothing in it to check.");
                        return result.IsClean ? 0 : 1;
                    },
                    cancellationToken
                )
        );
        return command;
    }
}
