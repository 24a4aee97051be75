using FactoryStream.Kernels;

foreach (var kernel in Kernel.All)
{
    File.WriteAllText(kernel.File, kernel.Text);
    Console.WriteLine(kernel.File);
}
