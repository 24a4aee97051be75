using System.Diagnostics;
using FactoryStream.Signatures;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Benchmarks.Load;

/// <summary>What <c>load</c> and <c>sign</c> do alike: keys, a look at the disk, and signing behind a progress bar.</summary>
internal static class Signing
{
    /// <summary>The keys of the plan's factories, made where there are none.</summary>
    public static ReadingSigner[] Signers(KeyFolder keys, string prefix, int factories)
    {
        var signers = new ReadingSigner[factories];
        Parallel.For(0, signers.Length, factory => signers[factory] = keys.GetOrCreate($"{prefix}_{factory + 1:D3}"));
        return signers;
    }

    /// <summary>Readings a second that this machine signs on all its cores, by a short try.</summary>
    public static double MeasureRate(ReadingSigner signer, SaltLength salt)
    {
        const int tries = 200;
        var watch = Stopwatch.StartNew();
        Parallel.For(
            0,
            tries,
            _ =>
            {
                Span<byte> signature = stackalloc byte[512];
                signer.Sign("a reading of about the usual length"u8, signature, salt);
            }
        );
        return tries / watch.Elapsed.TotalSeconds;
    }

    /// <exception cref="UsageException">There is not enough room for it.</exception>
    public static async Task WriteAsync(
        CorpusPlan plan,
        ReadingSigner[] signers,
        FileStream target,
        ProgressBar bar,
        CancellationToken cancellationToken
    )
    {
        var bytes = plan.UsualBytes;
        var free = new DriveInfo(Path.GetDirectoryName(Path.GetFullPath(target.Name))!).AvailableFreeSpace;
        if (bytes > free)
            throw new UsageException(
                $"{plan.Readings} readings need about {bytes / 1e9:0.0} GB, and {Path.GetDirectoryName(target.Name)} has "
                    + $"{free / 1e9:0.0} GB left."
            );
        var done = 0L;
        await bar.ShowAsync(
            $"Signing {plan.Readings} readings, about {bytes / 1e9:0.00} GB",
            plan.Readings,
            () => Interlocked.Read(ref done),
            null,
            () => CorpusWriter.WriteAsync(plan, signers, target, count => Interlocked.Add(ref done, count), cancellationToken)
        );
    }
}
