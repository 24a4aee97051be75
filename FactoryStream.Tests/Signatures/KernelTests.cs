using System.Runtime.CompilerServices;

namespace FactoryStream.Tests.Signatures;

public sealed class KernelTests
{
    public static TheoryData<string, string> Kernels =>
        new()
        {
            { "Avx512/MontgomeryKernel.cs", MontgomeryKernelGenerator.Generate() },
            { "Avx2/LimbKernel.cs", LimbKernelGenerator.Generate() },
            { "Avx512/Sha256Kernel.cs", Sha256KernelGenerator.Generate() },
        };

    private static bool UpdateWanted => Environment.GetEnvironmentVariable("UPDATE_KERNELS") == "1";

    [SkippableTheory]
    [MemberData(nameof(Kernels), DisableDiscoveryEnumeration = true)]
    public void The_committed_kernel_is_what_its_generator_writes(string name, string expected)
    {
        var file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../FactoryStream.Signatures/Backends", name));
        Skip.IfNot(Directory.Exists(Path.GetDirectoryName(file)), "The sources are not where they were compiled.");
        if (UpdateWanted)
            File.WriteAllText(file, expected);
        Assert.True(expected == File.ReadAllText(file), $"{name} is not what its generator writes now.");

        static string Here([CallerFilePath] string path = "") => path;
    }
}
