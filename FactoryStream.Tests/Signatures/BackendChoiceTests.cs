using System.Diagnostics;
using FactoryStream.Signatures;
using FactoryStream.Signatures.Backends;

namespace FactoryStream.Tests.Signatures;

/// <summary>Which backend a machine gets.</summary>
public sealed class BackendChoiceTests
{
    private const string ExpectedBackend = "FACTORYSTREAM_EXPECTED_ENGINE";

    [SkippableTheory]
    [InlineData("DOTNET_EnableAVX512", "avx2")]
    [InlineData("DOTNET_EnableAVX2", "openssl")]
    public async Task The_runtimes_own_switches_choose_the_backend(string turnedOff, string expected)
    {
        Skip.If(Environment.GetEnvironmentVariable(ExpectedBackend) is not null, "This is the inner run.");
        Skip.If(expected == "avx2" && VectorBackends.Find("avx2") is null, "This processor has no AVX2.");
        Skip.IfNot(LibCrypto.IsAvailable, "libcrypto is not installed.");
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList =
            {
                "test",
                typeof(BackendChoiceTests).Assembly.Location,
                "--nologo",
                "--filter",
                $"FullyQualifiedName~{nameof(Inner_run_uses_the_expected_backend)}",
            },
            Environment = { [turnedOff] = "0", [ExpectedBackend] = expected },
            RedirectStandardOutput = true,
        };
        if (!Path.GetFileNameWithoutExtension(start.FileName).Equals("dotnet", StringComparison.OrdinalIgnoreCase))
            start.FileName = "dotnet";
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(100));
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0 && output.Contains("Passed!", StringComparison.Ordinal), output);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    [SkippableFact]
    public void Inner_run_uses_the_expected_backend()
    {
        var expected = Environment.GetEnvironmentVariable(ExpectedBackend);
        Skip.If(expected is null, "Runs inside The_runtimes_own_switches_choose_the_backend.");
        using var verifier = new SignatureVerifier();
        Assert.Equal(expected, verifier.BackendName);
        var corpus = new SignatureCorpus(2048, seed: 2);
        var checks = Enumerable.Range(0, 3000).Select(_ => corpus.Next(out var _)).ToArray();
        var results = new bool[checks.Length];
        verifier.Verify(checks, results);
        Assert.Equal(checks.Select(check => SingleCheck.Verify(check, useOpenSsl: true)), results);
        Assert.Equal(0, verifier.Statistics.Disagreements);
        Assert.Equal(expected == "avx2", verifier.Statistics.ByAvx2 > 2000);
    }
}
