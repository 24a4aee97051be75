using System.Runtime.CompilerServices;

namespace FactoryStream.Kernels;

/// <summary>A source file of FactoryStream.Signatures that is written by a program.</summary>
/// <param name="Name">Its path below <c>Backends</c>.</param>
/// <param name="Text">What it holds.</param>
internal sealed record Kernel(string Name, string Text)
{
    public static IReadOnlyList<Kernel> All =>
        [
            new("Avx512/MontgomeryKernel.g.cs", MontgomeryKernelGenerator.Generate()),
            new("Avx2/LimbKernel.g.cs", LimbKernelGenerator.Generate()),
            new("Avx512/Sha256Kernel.g.cs", Sha256KernelGenerator.Generate()),
        ];

    /// <summary>The file in the sources that this program was compiled from, which may be gone by now.</summary>
    public string File => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../FactoryStream.Signatures/Backends", Name));

    private static string Here([CallerFilePath] string path = "") => path;
}
