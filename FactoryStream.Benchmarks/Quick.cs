using System.Diagnostics;
using FactoryStream.Signatures;
internal static class Quick
{
    public static void Run()
    {
        foreach (var bits in new[] { 2048, 3072, 4096 })
        {
            int nk = bits == 2048 ? 64 : 8;
            var signers = Enumerable.Range(0, nk).Select(_ => ReadingSigner.Create(bits)).ToArray();
            var keys = signers.Select(s => RsaPublicKey.TryParsePem(s.ExportPublicKeyPem(), out var k, out var e) ? k : throw new InvalidOperationException(e)).ToArray();
            foreach (var salt in new[] { SaltLength.Digest, SaltLength.Maximum })
            {
                var checks = new SignatureCheck[512];
                for (int i = 0; i < 512; i++) { var d = new byte[220]; Random.Shared.NextBytes(d); var s = new byte[bits / 8]; signers[i % nk].Sign(d, s, salt); checks[i] = new(keys[i % nk], d, s); }
                var results = new bool[512];
                foreach (var e in new[] { SignatureEngines.All, SignatureEngines.OpenSsl | SignatureEngines.Avx2, SignatureEngines.OpenSsl })
                {
                    using var v = new SignatureVerifier(new() { AllowedEngines = e });
                    double best = 0;
                    for (int r = 0; r < 8; r++)
                    {
                        var t = Stopwatch.GetTimestamp(); int n = 0;
                        while (Stopwatch.GetElapsedTime(t).TotalMilliseconds < 150) { v.Verify(checks, results); n += 512; }
                        best = Math.Max(best, n / Stopwatch.GetElapsedTime(t).TotalSeconds);
                    }
                    Console.WriteLine($"{bits} {salt} {v.EngineName}: {best:F0}/s {(results.All(x => x) ? "all valid" : "WRONG")} {v.Statistics} {string.Join(",", v.Engines)}");
                }
            }
        }
    }
}
