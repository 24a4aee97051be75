using BenchmarkDotNet.Running;
using FactoryStream.Benchmarks;

// bench [--help]             the whole system under load: rate, CPU, memory and latency next to the limits of this machine
// storage [--help]           bytes of a reading at rest: in PostgreSQL, in dumps, archived
// load, sign [--help]        how Ingest answers a load; a load's readings signed ahead
// skab [--help]              how well the anomaly score finds what SKAB's labels say, beside its leaderboard
// signatures [--help]        rates of every signature engine next to openssl speed, in three minutes
// anything else              BenchmarkDotNet's own command line, e.g. --filter '*Signature*'
switch (args)
{
    case ["bench" or "storage" or "load" or "sign" or "skab", ..]:
        return await Commands.RunAsync(args, Console.Out, Console.Error);
    case ["signatures", .. var rest]:
        return SignatureRates.Run(rest);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(SignatureBenchmarks).Assembly).Run(args);
        return 0;
}
