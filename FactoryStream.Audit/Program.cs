using FactoryStream.Audit;

return await CommandLine.RunAsync(args, Console.Out, Console.Error);
