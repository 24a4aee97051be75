using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using FactoryStream.Signatures;

namespace FactoryStream.Benchmarks;

/// <summary>
/// Whole checks of every backend next to <c>openssl speed</c> (which hashes nothing and checks no PSS), measured in turns on the same
/// cores. Both are counted by the second of processor time, as <c>openssl speed</c> does by itself, so that other programs on the machine
/// take nothing from either; what they still take (caches, clock) only ever slows, so the best of a few rounds counts.
/// </summary>
internal static class SignatureRates
{
    private const int AtOnce = 512;
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(250);

    public static int Run(string[] args)
    {
        var json = new Option<FileInfo?>("--json") { Description = "Also write the figures to this file." };
        var bits = new Option<int[]>("--bits")
        {
            Description = "Sizes of key.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [2048, 3072, 4096],
        };
        var threads = new Option<int[]>("--threads")
        {
            Description = "Threads that check at the same time.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [1],
        };
        var rounds = new Option<int>("--rounds")
        {
            Description = "Turns that each backend gets; its best counts.",
            DefaultValueFactory = _ => 5,
        };
        var command = new RootCommand("Rates of every signature backend next to openssl speed.") { json, bits, threads, rounds };
        command.SetAction(parsed => Run(parsed.GetValue(json), parsed.GetValue(bits)!, parsed.GetValue(threads)!, parsed.GetValue(rounds)));
        return command.Parse(args).Invoke();
    }

    private static int Run(FileInfo? json, int[] sizes, int[] threadCounts, int rounds)
    {
        var rows = new List<RateRow>();
        foreach (var bits in sizes)
        {
            var backends = new (string Name, SignatureBackends Allowed)[]
            {
                ("openssl", SignatureBackends.OpenSsl),
                ("avx2", SignatureBackends.OpenSsl | SignatureBackends.Avx2),
                ("avx512", SignatureBackends.OpenSsl | SignatureBackends.Avx512),
            };
            var contenders = new List<Contender>();
            foreach (var (salt, checks) in SignatureSamples.Create(bits, AtOnce, keys: bits == 2048 ? 256 : 16))
            {
                foreach (var (name, allowed) in backends)
                {
                    var verifier = new SignatureVerifier(new() { AllowedBackends = allowed });
                    if (verifier.BackendName == name)
                        contenders.Add(
                            new(name, $"salt {salt.ToString().ToLowerInvariant()}", () => verifier.Verify(checks, new bool[AtOnce]))
                        );
                    else
                        Console.Error.WriteLine(
                            $"{name} is not measured: {verifier.Backends.GetValueOrDefault(name, "this processor has none")}"
                        );
                }

                if (salt is SaltLength.Digest)
                    contenders.Add(new(".NET RSA, keys cached", "salt digest", DotNet(checks)));
            }

            foreach (var threads in threadCounts)
                rows.AddRange(Measure(bits, threads, rounds, contenders));
        }

        Print(rows);
        if (json is not null)
        {
            var report = new RateReport(
                RuntimeInformation.OSDescription,
                RuntimeInformation.FrameworkDescription,
                Processor(),
                Environment.ProcessorCount,
                rounds,
                rows
            );
            File.WriteAllText(json.FullName, JsonSerializer.Serialize(report, RateJson.Default.RateReport) + "\n");
        }

        return 0;
    }

    private static List<RateRow> Measure(int bits, int threads, int rounds, List<Contender> contenders)
    {
        var best = new double[contenders.Count];
        var openssl = 0.0;
        foreach (var contender in contenders)
            Rate(contender, threads);
        for (var round = 0; round < rounds; round++)
        {
            openssl = Math.Max(openssl, OpenSslSpeed(bits, threads));
            for (var i = 0; i < contenders.Count; i++)
                best[i] = Math.Max(best[i], Rate(contenders[i], threads));
        }

        var rows = new List<RateRow> { new(bits, threads, "openssl speed", "no PSS", Math.Round(openssl), 1) };
        for (var i = 0; i < contenders.Count; i++)
            rows.Add(new(bits, threads, contenders[i].Backend, contenders[i].Form, Math.Round(best[i]), Math.Round(best[i] / openssl, 2)));
        return rows;
    }

    /// <summary>
    /// Checks by the second of this process' processor time (user and kernel; <c>openssl speed</c> counts only its user time), times the
    /// threads: what they do on free cores. A turn ends by that time as well, however long it takes.
    /// </summary>
    private static double Rate(Contender contender, int threads)
    {
        var done = 0L;
        var start = Environment.CpuUsage.TotalTime;
        var workers = Enumerable
            .Range(0, threads)
            .Select(_ => new Thread(() =>
            {
                var mine = 0L;
                while (Environment.CpuUsage.TotalTime - start < Turn * threads)
                {
                    contender.Turn();
                    mine += AtOnce;
                }

                Interlocked.Add(ref done, mine);
            }))
            .ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        return done * threads / (Environment.CpuUsage.TotalTime - start).TotalSeconds;
    }

    private static Action DotNet(SignatureCheck[] checks)
    {
        var keys = checks
            .Select(check => check.Key)
            .Distinct()
            .ToDictionary(
                key => key,
                key =>
                {
                    var rsa = RSA.Create();
                    rsa.ImportFromPem(key.ExportPem());
                    return rsa;
                }
            );
        var rsas = checks.Select(check => keys[check.Key]).ToArray();
        return () =>
        {
            for (var i = 0; i < checks.Length; i++)
            {
                if (!rsas[i].VerifyData(checks[i].Data.Span, checks[i].Signature.Span, HashAlgorithmName.SHA256, RSASignaturePadding.Pss))
                    throw new InvalidOperationException("A valid signature was refused.");
            }
        };
    }

    /// <summary>
    /// Last line of <c>openssl speed</c>: <c>rsa 2048 bits 0.000247s 0.000017s 4054.5 60521.5</c>; the last number is verify/s.
    /// </summary>
    public static double OpenSslSpeed(int bits, int threads, int seconds = 1)
    {
        var start = new ProcessStartInfo("openssl") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (
            var argument in (string[])
                [
                    "speed",
                    "-seconds",
                    seconds.ToString(CultureInfo.InvariantCulture),
                    .. threads > 1 ? (string[])["-multi", threads.ToString(CultureInfo.InvariantCulture)] : [],
                    $"rsa{bits}",
                ]
        )
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var last = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        process.WaitForExit();
        return double.Parse(last.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1], CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// <c>AMD EPYC, family 25, model 17</c>: clouds hide the rest of the name, and generations differ in what their vectors cost.
    /// </summary>
    public static string Processor()
    {
        if (!File.Exists("/proc/cpuinfo"))
            return RuntimeInformation.ProcessArchitecture.ToString();
        var lines = File.ReadLines("/proc/cpuinfo")
            .TakeWhile(line => line.Length > 0)
            .Select(line => line.Split(':', 2, StringSplitOptions.TrimEntries))
            .ToLookup(parts => parts[0], parts => parts[^1]);
        return string.Join(
            ", ",
            lines["model name"]
                .Concat(lines["cpu family"].Select(family => $"family {family}"))
                .Concat(lines["model"].Select(model => $"model {model}"))
                .DefaultIfEmpty("unknown")
        );
    }

    private static void Print(List<RateRow> rows)
    {
        Console.WriteLine("| bits | threads | backend | form | checks/s | of openssl speed |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var row in rows)
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {row.KeySizeBits} | {row.Threads} | {row.Backend} | {row.Form} | {row.ChecksPerSecond:N0} | "
                        + $"{row.OfOpenSslSpeed:F2} |"
                )
            );
    }

    private sealed record Contender(string Backend, string Form, Action Turn);
}

internal sealed record RateRow(int KeySizeBits, int Threads, string Backend, string Form, double ChecksPerSecond, double OfOpenSslSpeed);

internal sealed record RateReport(
    string OperatingSystem,
    string Runtime,
    string Processor,
    int Processors,
    int Rounds,
    IReadOnlyList<RateRow> Rows
);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RateReport))]
internal sealed partial class RateJson : JsonSerializerContext;
