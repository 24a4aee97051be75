using System.CommandLine;
using FactoryStream.ServiceDefaults;
using FactoryStream.Simulator.Simulation;
using Microsoft.Extensions.Options;

namespace FactoryStream.Simulator.Commands;

/// <summary><c>simulate</c>: a service like the others, with health, telemetry and <c>POST /pause</c>.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        var factories = new Option<int?>("--factories") { Description = "Factories, 1 to 999 [default: 10]", HelpName = "N" };
        var engines = new Option<int?>("--engines") { Description = "Engines of each factory, 1 to 999 [default: 6]", HelpName = "N" };
        var rate = new Option<double?>("--rate")
        {
            Description = "Readings of each engine a second, 0.01 to 100 [default: 1]",
            HelpName = "HZ",
        };
        var prefix = new Option<string?>("--factory-prefix")
        {
            Description = "Factories are named PREFIX_001, PREFIX_002, ... [default: factory]",
            HelpName = "PREFIX",
        };
        var (ingest, verifier, keys, token) = (
            SharedOptions.Ingest(),
            SharedOptions.Verifier(),
            SharedOptions.Keys(),
            SharedOptions.AdminToken()
        );
        var command = new Command(
            "simulate",
            "Run factories whose engines measure the seven metrics of the Python system until stopped. Each factory signs with its "
                + "own key, enrolled at the start, sends one POST a second, "
                + "keeps what is not acknowledged and repeats the same bytes. It serves /health, /alive, POST /pause and POST "
                + "/resume at ASPNETCORE_URLS, or a free port of this machine. "
                + "Every option is a setting too: Simulator__Factories, Simulator__Engines, Simulator__Rate, "
                + "Simulator__FactoryPrefix, Simulator__Keys, Simulator__AdminToken, Simulator__BufferedPosts."
        )
        {
            factories,
            engines,
            rate,
            prefix,
            ingest,
            verifier,
            keys,
            token,
        };
        command.SetAction(
            (parsed, cancellationToken) =>
                RunAsync(
                    new Dictionary<string, string?>
                    {
                        [nameof(SimulatorOptions.Factories)] = Text(parsed.GetValue(factories)),
                        [nameof(SimulatorOptions.Engines)] = Text(parsed.GetValue(engines)),
                        [nameof(SimulatorOptions.Rate)] = Text(parsed.GetValue(rate)),
                        [nameof(SimulatorOptions.FactoryPrefix)] = parsed.GetValue(prefix),
                        [nameof(SimulatorOptions.Keys)] = parsed.GetValue(keys),
                        [nameof(SimulatorOptions.AdminToken)] = parsed.GetValue(token),
                    },
                    parsed.GetValue(ingest),
                    parsed.GetValue(verifier),
                    cancellationToken
                )
        );
        return command;
    }

    internal static WebApplication Build(Dictionary<string, string?> given, string? ingest, string? verifier)
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddServiceDefaults();
        builder.Configuration.AddInMemoryCollection(
            given
                .Where(setting => setting.Value is not null)
                .Select(setting => KeyValuePair.Create($"{SimulatorOptions.Section}:{setting.Key}", setting.Value))
        );
        if (
            string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey])
            && string.IsNullOrEmpty(builder.Configuration["HTTP_PORTS"])
        )
            builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder
            .Services.AddOptions<SimulatorOptions>()
            .BindConfiguration(SimulatorOptions.Section)
            .ValidateDataAnnotations()
            .ValidateOnStart();
        builder.Services.AddSingleton(Addresses.From(builder.Configuration, ingest, verifier));
        builder.Services.AddSingleton(services => new Pace(services.GetRequiredService<IOptions<SimulatorOptions>>().Value.Rate));
        builder.Services.AddSingleton<SimulatorMetrics>();
        builder.Services.AddSingleton<SimulatorLog>();
        // The simulator's own repetitions carry its guarantee; a second retry policy below them would only hide what happens.
        builder.Services.AddSingleton(services => new HttpClient
        {
            Timeout = TimeSpan.FromSeconds(
                services.GetRequiredService<Microsoft.Extensions.Options.IOptions<SimulatorOptions>>().Value.AnswerWithinSeconds
            ),
        });
        builder.Services.AddSingleton<SimulationWorker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<SimulationWorker>());
        builder.Services.AddHealthChecks().AddCheck<SimulationWorker>("enrolled");
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, SimulatorJson.Default));

        var app = builder.Build();
        app.MapDefaultEndpoints();
        app.MapSimulator();
        return app;
    }

    private static async Task<int> RunAsync(
        Dictionary<string, string?> given,
        string? ingest,
        string? verifier,
        CancellationToken cancellationToken
    )
    {
        await using var app = Build(given, ingest, verifier);
        // The host frees its services when it ends.
        var failFast = app.Services.GetRequiredService<FailFast>();
        await ((IHost)app).RunAsync(cancellationToken);
        return failFast.ExitCode;
    }

    private static string? Text<T>(T? value)
        where T : struct, IFormattable => value?.ToString(null, System.Globalization.CultureInfo.InvariantCulture);
}
