using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using FactoryStream.Signatures;

namespace FactoryStream.Benchmarks;

/// <summary>
/// Whole checks a second of every engine next to <c>openssl speed</c> (which hashes nothing and checks no PSS), measured in turns on the same cores. Each
/// figure is the best of a few rounds: on a shared machine what disturbs only ever slows.
/// </summary>
internal static class SignatureRates
{
    private const int Rounds = 5, AtOnce = 512;
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(250);

    public static int Run(string[] args)
    {
        var json = args is ["--json", var file] ? file : null;
        var rows = new List<RateRow>();
        foreach (var bits in new[] { 2048, 3072, 4096 })
        {
            var engines = new (string Name, SignatureEngines Allowed)[]
            {
                ("openssl", SignatureEngines.OpenSsl), ("avx2", SignatureEngines.OpenSsl | SignatureEngines.Avx2), ("avx512", SignatureEngines.OpenSsl | SignatureEngines.Avx512),
            };
            var contenders = new List<Contender>();
            foreach (var salt in new[] { SaltLength.Digest, SaltLength.Maximum })
            {
                var checks = SignatureSamples.Create(bits, salt, AtOnce, keys: bits == 2048 ? 256 : 16);
                foreach (var (name, allowed) in engines)
                {
                    var verifier = new SignatureVerifier(new() { AllowedEngines = allowed });
                    if (verifier.EngineName == name)
                        contenders.Add(new(name, $"salt {salt.ToString().ToLowerInvariant()}", _ => verifier.Verify(checks, new bool[AtOnce])));
                    else
                        Console.Error.WriteLine($"{name} is not measured: {verifier.Engines.GetValueOrDefault(name, "this processor has none")}");
                }

                if (salt is SaltLength.Digest)
                    contenders.Add(new(".NET RSA, keys cached", "salt digest", DotNet(checks)));
            }

            for (var threads = 1; threads <= Math.Min(2, Environment.ProcessorCount); threads++)
                rows.AddRange(Measure(bits, threads, contenders));
        }

        Print(rows);
        if (json is not null)
        {
            var report = new RateReport(RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, Processor(), Environment.ProcessorCount, rows);
            File.WriteAllText(json, JsonSerializer.Serialize(report, RateJson.Default.RateReport) + "\n");
        }

        return 0;
    }

    private static List<RateRow> Measure(int bits, int threads, List<Contender> contenders)
    {
        var best = new double[contenders.Count];
        var openssl = 0.0;
        foreach (var contender in contenders)
            Rate(contender, threads);
        for (var round = 0; round < Rounds; round++)
        {
            openssl = Math.Max(openssl, OpenSslSpeed(bits, threads));
            for (var i = 0; i < contenders.Count; i++)
                best[i] = Math.Max(best[i], Rate(contenders[i], threads));
        }

        var rows = new List<RateRow> { new(bits, threads, "openssl speed", "no PSS", openssl, 1) };
        for (var i = 0; i < contenders.Count; i++)
            rows.Add(new(bits, threads, contenders[i].Engine, contenders[i].Form, best[i], best[i] / openssl));
        return rows;
    }

    private static double Rate(Contender contender, int threads)
    {
        var done = 0L;
        var start = Stopwatch.GetTimestamp();
        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            var mine = 0L;
            while (Stopwatch.GetElapsedTime(start) < Turn)
            {
                contender.Turn(AtOnce);
                mine += AtOnce;
            }

            Interlocked.Add(ref done, mine);
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        return done / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static Action<int> DotNet(SignatureCheck[] checks)
    {
        var keys = checks.Select(check => check.Key).Distinct().ToDictionary(key => key, key =>
        {
            var rsa = RSA.Create();
            rsa.ImportFromPem(key.ExportPem());
            return rsa;
        });
        var rsas = checks.Select(check => keys[check.Key]).ToArray();
        return count =>
        {
            for (var i = 0; i < count; i++)
            {
                if (!rsas[i].VerifyData(checks[i].Data.Span, checks[i].Signature.Span, HashAlgorithmName.SHA256, RSASignaturePadding.Pss))
                    throw new InvalidOperationException("A valid signature was refused.");
            }
        };
    }

    /// <summary>Last line of <c>openssl speed</c>: <c>rsa 2048 bits 0.000247s 0.000017s   4054.5  60521.5</c>; the last number is verify/s.</summary>
    public static double OpenSslSpeed(int bits, int threads, int seconds = 1)
    {
        var start = new ProcessStartInfo("openssl") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["speed", "-seconds", seconds.ToString(CultureInfo.InvariantCulture), .. threads > 1 ? (string[])["-multi", threads.ToString(CultureInfo.InvariantCulture)] : [], $"rsa{bits}"])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var last = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        process.WaitForExit();
        return double.Parse(last.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1], CultureInfo.InvariantCulture);
    }

    public static string Processor() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown"
        : RuntimeInformation.ProcessArchitecture.ToString();

    private static void Print(List<RateRow> rows)
    {
        Console.WriteLine("| bits | threads | engine | form | checks/s | of openssl speed |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var row in rows)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {row.KeySizeBits} | {row.Threads} | {row.Engine} | {row.Form} | {row.ChecksPerSecond:N0} | {row.OfOpenSslSpeed:F2} |"));
    }

    private sealed record Contender(string Engine, string Form, Action<int> Turn);
}

internal sealed record RateRow(int KeySizeBits, int Threads, string Engine, string Form, double ChecksPerSecond, double OfOpenSslSpeed);

internal sealed record RateReport(string OperatingSystem, string Runtime, string Processor, int Processors, IReadOnlyList<RateRow> Rows);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RateReport))]
internal sealed partial class RateJson : JsonSerializerContext;
