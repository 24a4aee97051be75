using System.Globalization;
using FactoryStream.Benchmarks.Load;
using FactoryStream.Signatures;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Benchmarks.EndToEnd;

/// <summary>Signed readings, kept for later runs: signing costs several times what the whole system needs to take them in.</summary>
internal sealed class CorpusCache(string folder, TextWriter error, TimeProvider time)
{
    public const string MeasuredPrefix = "bench",
        WarmUpPrefix = "warm";

    /// <summary>The signers' keys; a corpus is of no use without them.</summary>
    public KeyFolder Keys { get; } = new(Path.Combine(folder, "keys"));

    /// <summary>The usual place, by the XDG rules.</summary>
    public static string DefaultFolder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache)
                return Path.Combine(cache, "factorystream-bench");
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            return home.Length > 0
                ? Path.Combine(home, ".cache", "factorystream-bench")
                : throw new UsageException("This user has no home to cache signed readings in: set XDG_CACHE_HOME.");
        }
    }

    /// <summary>A corpus of that shape with so many readings, signed if there is none yet.</summary>
    /// <param name="options">Its shape.</param>
    /// <param name="prefix">Of its factories' names.</param>
    /// <param name="readings">How many.</param>
    /// <param name="isExact">No more than those.</param>
    /// <param name="cancellationToken">Ends the signing; nothing is kept.</param>
    public async Task<string> GetAsync(
        BenchOptions options,
        string prefix,
        long readings,
        bool isExact,
        CancellationToken cancellationToken
    )
    {
        var batch =
            options.Batch == 1 ? ""
            : options.IsMixed ? $"-mixed{options.Batch}"
            : $"-batch{options.Batch}";
        var shape = string.Create(
            CultureInfo.InvariantCulture,
            $"{prefix}-{options.Factories}x{options.EnginesPerFactory}-by{options.ReadingsPerPost}-{options.EventRate}{batch}"
        );
        var signers = Signing.Signers(Keys, prefix, options.Factories);
        var found = Directory
            .EnumerateFiles(folder, $"{shape}-*.ndjson.json")
            .Select(plan => plan[..^".json".Length])
            .Select(corpus => (Corpus: corpus, CorpusPlan.Read(corpus).Readings))
            .Where(kept => isExact ? kept.Readings == readings : kept.Readings >= readings)
            .OrderBy(kept => kept.Readings)
            .FirstOrDefault()
            .Corpus;
        if (found is not null)
            return found;

        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{shape}-{readings}.ndjson"));
        var now = time.GetUtcNow().UtcDateTime;
        var plan = new CorpusPlan(
            readings,
            options.Factories,
            options.EnginesPerFactory,
            prefix,
            options.ReadingsPerPost,
            options.EventRate,
            now,
            SaltLength.Digest,
            options.Batch,
            options.IsMixed
        );
        var start = now - plan.Span;
        plan = plan with { Start = new DateTime(start.Ticks - start.Ticks % TimeSpan.TicksPerMillisecond, DateTimeKind.Utc) };
        var unfinished = $"{path}.{Environment.ProcessId}";
        try
        {
            await using (var file = CorpusFile.Create(unfinished))
                await Signing.WriteAsync(plan, signers, file, new ProgressBar(error), cancellationToken);
            File.Move(unfinished, path, overwrite: true);
        }
        finally
        {
            File.Delete(unfinished);
        }
        // Last: what has a plan is whole.
        plan.Save(path);
        return path;
    }
}
