using System.Runtime.CompilerServices;

namespace FactoryStream.Tests.Signatures;

public sealed class MontgomeryKernelTests
{
    [SkippableFact]
    public void The_committed_kernel_is_what_the_generator_writes()
    {
        var file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../FactoryStream.Signatures/Engines/Avx512/MontgomeryKernel.cs"));
        Skip.IfNot(File.Exists(file) || UpdateWanted, "The sources are not where they were compiled.");
        var expected = MontgomeryKernelGenerator.Generate();
        if (UpdateWanted)
            File.WriteAllText(file, expected);
        Assert.Equal(expected, File.ReadAllText(file));

        static string Here([CallerFilePath] string path = "") => path;
    }

    private static bool UpdateWanted => Environment.GetEnvironmentVariable("UPDATE_KERNELS") == "1";
}
