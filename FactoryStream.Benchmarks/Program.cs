using BenchmarkDotNet.Running;
using FactoryStream.Benchmarks;
using FactoryStream.Benchmarks.EndToEnd;

// bench [--help]             the whole system under load: rate, CPU, memory and latency next to the limits of this machine
// storage [--help]           bytes of a reading at rest: in PostgreSQL, in dumps, archived
// signatures [--help]        rates of every signature engine next to openssl speed, in three minutes
// anything else              BenchmarkDotNet's own command line, e.g. --filter '*Signature*'
switch (args)
{
    case ["bench", .. var rest]:
        return await BenchCommand.RunAsync(rest, Console.Out, Console.Error);
    case [Sender.Verb, .. var rest]:
        return await FactoryStream.Simulator.Commands.CommandLine.RunAsync(rest, Console.Out, Console.Error);
    case ["storage", .. var rest]:
        return await StorageCommand.RunAsync(rest, Console.Out, Console.Error);
    case ["signatures", .. var rest]:
        return SignatureRates.Run(rest);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(SignatureBenchmarks).Assembly).Run(args);
        return 0;
}
