using BenchmarkDotNet.Running;
using FactoryStream.Benchmarks;

// signatures [--json FILE]   rates of every engine next to openssl speed, in two minutes
// anything else              BenchmarkDotNet's own command line, e.g. --filter '*Signature*'
if (args is ["signatures", .. var rest])
    return SignatureRates.Run(rest);
BenchmarkSwitcher.FromAssembly(typeof(SignatureBenchmarks).Assembly).Run(args);
return 0;
