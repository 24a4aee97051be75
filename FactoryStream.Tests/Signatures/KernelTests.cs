using FactoryStream.Kernels;

namespace FactoryStream.Tests.Signatures;

public sealed class KernelTests
{
    public static TheoryData<string> Names => [.. Kernel.All.Select(kernel => kernel.Name)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void The_committed_kernel_is_what_its_generator_writes(string name)
    {
        var kernel = Kernel.All.Single(kernel => kernel.Name == name);
        Skip.IfNot(Directory.Exists(Path.GetDirectoryName(kernel.File)), "The sources are not where they were compiled.");
        Assert.True(kernel.Text == File.ReadAllText(kernel.File), $"{name} is not what its generator writes now.");
    }
}
