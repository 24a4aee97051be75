using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Aspire.Hosting.Testing;
using FactoryStream.Signatures;
using FactoryStream.Tests.AppHost;
using FactoryStream.Tests.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace FactoryStream.Tests.Distributed;

/// <summary>The AppHost as a process of its own, killed under load.</summary>
public sealed class AppHostCrashTests : IDisposable
{
    private const int LinesPerPost = 20;

    private readonly TemporaryFolder folder = new TemporaryFolder().Reachable();
    private readonly int ingest = LocalServers.FreePort(),
        verifier = LocalServers.FreePort(),
        dashboard = LocalServers.FreePort();
    private readonly HttpClient client = new() { Timeout = RunningSystem.Patience };

    public void Dispose()
    {
        client.Dispose();
        folder.Dispose();
    }

    [SkippableFact]
    public async Task Killed_under_load_it_leaves_no_process_behind_and_the_next_start_goes_on()
    {
        Skip.IfNot(LocalServers.HasPostgres, LocalServers.NoPostgres);
        using var signer = ReadingSigner.Create();
        using var killed = await StartAsync();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RunningSystem.AdminToken);
        using (
            var enrolled = await client.PostAsJsonAsync(
                $"http://127.0.0.1:{verifier}/keys",
                new { factory_id = "plant", public_key = signer.ExportPublicKeyPem() }
            )
        )
            Assert.True(enrolled.IsSuccessStatusCode);
        var acknowledged = 0L;
        using var ended = new CancellationTokenSource();
        var load = Enumerable
            .Range(0, 2)
            .Select(sender =>
                Task.Run(async () =>
                {
                    for (var post = 0; !ended.IsCancellationRequested; post++)
                    {
                        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(post * LinesPerPost);
                        var lines = Enumerable
                            .Range(0, LinesPerPost)
                            .Select(line => RunningSystem.Sign(signer, "plant", $"engine_{sender}", start.AddSeconds(line), line));
                        if (await TryPostAsync(string.Join('\n', lines)))
                            Interlocked.Add(ref acknowledged, LinesPerPost);
                    }
                })
            )
            .ToArray();
        await RunningSystem.EventuallyAsync(LedgerAsync, ledger => ledger is { Stored: > 1000 });

        await KillAsync(killed);
        await ended.CancelAsync();
        await Task.WhenAll(load);

        using var appHost = await StartAsync();
        var hasKafka = Environment.GetEnvironmentVariable("KAFKA_HOME") is not null;
        // The broker in memory goes with the AppHost, and what it held; a real one keeps what was answered 202.
        var wanted = hasKafka ? Interlocked.Read(ref acknowledged) : 1001;
        var after = await RunningSystem.EventuallyAsync(LedgerAsync, ledger => ledger is { Backlog: 0 } && ledger.Stored >= wanted);
        after!.AssertBalanced();
        Assert.True(
            await TryPostAsync(RunningSystem.Sign(signer, "plant", "engine_0", new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc), 1))
        );
        await RunningSystem.EventuallyAsync(LedgerAsync, ledger => ledger is { Backlog: 0 } && ledger.Stored == after.Stored + 1);
        await KillAsync(appHost);
    }

    [SkippableTheory, InlineData(0), InlineData(1)]
    public async Task When_one_of_Aspires_orchestrators_processes_dies_the_application_ends_in_good_order(int which)
    {
        Skip.IfNot(LocalServers.HasPostgres, LocalServers.NoPostgres);
        using var appHost = await StartAsync();
        var orchestrator = FactoryStream.AppHost.Hosting.OrchestratorWatch.Find(
            FactoryStream.AppHost.Hosting.Processes.All().Select(pid => (pid, FactoryStream.AppHost.Hosting.Processes.CommandOf(pid))),
            appHost.Id
        );
        Assert.Equal(2, orchestrator.Length);

        Running.Kill(orchestrator[which]);

        Assert.True(await appHost.ExitCodeAsync() == 1, appHost.Console);
        await appHost.AloneAsync();
        Assert.Equal("shut down", LocalServers.ClusterState($"{folder.Path}/data/postgres/data"));
    }

    [SkippableFact]
    public async Task No_process_is_told_a_secret_that_is_not_its_own_and_a_stop_stores_first_what_was_answered_202()
    {
        Skip.IfNot(LocalServers.HasPostgres, LocalServers.NoPostgres);
        const string password = "the-tests-database-password",
            option = "the-tests-option";
        using var signer = ReadingSigner.Create();
        // In memory: what is not stored by the time that the broker ends is gone.
        using var appHost = await StartAsync(
            new()
            {
                ["Parameters__admin-token"] = RunningSystem.AdminToken,
                ["Parameters__postgres-password"] = password,
                ["kafka__in-memory"] = "true",
                ["dashboard__PageTitle"] = option,
            },
            "--simulator=true"
        );
        var processes = await RunningSystem.EventuallyAsync(
            () =>
                Task.FromResult(appHost.Environments().Where(entry => entry.Key != appHost.Id).Select(Known.Of).OfType<Known>().ToArray()),
            processes => processes.Any(process => process.Name == "Simulator")
        );

        Assert.Superset(new HashSet<string> { "dcp", "postgres", "InMemoryKafka", "Ingest", "Dashboard" }, NamesOf(_ => true));
        Assert.Equal(["Aggregator", "Dashboard", "Simulator", "Verifier"], NamesOf(process => process.IsTold(RunningSystem.AdminToken)));
        Assert.Equal(["Aggregator", "Dashboard", "Verifier"], NamesOf(process => process.IsTold(password)));
        // An option may be as secret as any.
        Assert.Equal(["Dashboard"], NamesOf(process => process.IsTold(option)));
        Assert.Empty(NamesOf(process => process.HasArgument(RunningSystem.AdminToken) || process.HasArgument(password)));

        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RunningSystem.AdminToken);
        var key = new { factory_id = "drained", public_key = signer.ExportPublicKeyPem() };
        using (var enrolled = await client.PostAsJsonAsync($"http://127.0.0.1:{verifier}/keys", key))
            Assert.True(enrolled.IsSuccessStatusCode);
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        string[] lines =
        [
            .. Enumerable
                .Range(0, 2000)
                .Select(second => RunningSystem.Sign(signer, "drained", $"e{second % 7}", start.AddSeconds(second), second)),
        ];
        Assert.True(await TryPostAsync(string.Join('\n', lines)));
        appHost.Terminate();
        Assert.True(await appHost.ExitCodeAsync(2 * RunningSystem.Patience) == 0, appHost.Console);

        await using var running = await Running.StartAsync(
            [$"--data={folder.Path}/data", "--containers=false", "--aspire-dashboard=false", $"--Parameters:postgres-password={password}"],
            resource => resource.Name is "postgres" or "factorydb" or "postgres-password"
        );
        await running.UntilAsync("factorydb", snapshot => snapshot.HealthStatus == HealthStatus.Healthy);
        await using var database = NpgsqlDataSource.Create((await running.App.GetConnectionStringAsync("factorydb"))!);
        Assert.Equal(
            ["2000|2000"],
            await database.RowsAsync(
                """
                SELECT count(*), (SELECT sum(stored) FROM factory.ledger WHERE factory_id = 'drained')
                FROM factory.readings JOIN factory.engines USING (engine_no) WHERE factory_id = 'drained'
                """
            )
        );

        SortedSet<string> NamesOf(Func<Known, bool> isMeant) =>
            new(processes.Where(isMeant).Select(process => process.Name), StringComparer.Ordinal);
    }

    private Task<AppHostProgram> StartAsync() =>
        StartAsync([], $"--Parameters:admin-token={RunningSystem.AdminToken}", "--simulator=false");

    private async Task<AppHostProgram> StartAsync(Dictionary<string, string> environment, params string[] more)
    {
        LocalServers.UseKafkaBesideTheCheckout();
        var appHost = new AppHostProgram(
            [
                "--data",
                $"{folder.Path}/data",
                "--aspire-dashboard",
                "false",
                "--containers",
                "false",
                .. more,
                Argument("ingest", ingest),
                Argument("verifier", verifier),
                Argument("dashboard", dashboard),
            ],
            environment
        );
        try
        {
            foreach (var port in (int[])[ingest, verifier, dashboard])
                await appHost.UntilAsync(async () => await StatusAsync($"http://127.0.0.1:{port}/health") == HttpStatusCode.OK);
            return appHost;
        }
        catch
        {
            appHost.Dispose();
            throw;
        }

        static string Argument(string service, int port) => string.Create(CultureInfo.InvariantCulture, $"--{service}:port={port}");
    }

    private async Task KillAsync(AppHostProgram appHost)
    {
        Assert.True(appHost.Environments().Count > 5, string.Join(' ', appHost.Environments().Keys));
        appHost.Kill();
        await appHost.ExitCodeAsync();

        await appHost.AloneAsync();
        Assert.Equal("shut down", LocalServers.ClusterState($"{folder.Path}/data/postgres/data"));
        foreach (var port in (int[])[ingest, verifier, dashboard])
            Assert.Null(await StatusAsync($"http://127.0.0.1:{port}/alive"));
    }

    private async Task<HttpStatusCode?> StatusAsync(string address)
    {
        try
        {
            using var response = await client.GetAsync(address);
            return response.StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private async Task<bool> TryPostAsync(string lines)
    {
        try
        {
            using var content = new StringContent(lines, Encoding.UTF8, new MediaTypeHeaderValue("application/x-ndjson"));
            using var response = await client.PostAsync($"http://127.0.0.1:{ingest}/readings", content);
            return response.StatusCode == HttpStatusCode.Accepted;
        }
        catch (HttpRequestException)
        {
            // Not acknowledged: stored or not, both are right.
            return false;
        }
    }

    private async Task<Ledger?> LedgerAsync()
    {
        using var response = await client.GetAsync($"http://127.0.0.1:{dashboard}/api/books");
        return response.IsSuccessStatusCode ? Ledger.Of(await response.Content.ReadFromJsonAsync<JsonElement>(), "plant") : null;
    }

    /// <summary>A process: what it is, and what it was told.</summary>
    private sealed record Known(string Name, string[] Environment, string[] Arguments)
    {
        /// <summary>Null if it has ended.</summary>
        public static Known? Of(KeyValuePair<int, string[]> process)
        {
            var arguments = FactoryStream.AppHost.Hosting.Processes.CommandOf(process.Key);
            // The shell that waits for PostgreSQL is a part of it.
            var program =
                arguments is [.. var shell, _] && shell.Length > 0 && Path.GetFileName(shell[0]) == "sh"
                    ? Array.Find(arguments, word => word.EndsWith("/postgres", StringComparison.Ordinal))
                    : arguments.FirstOrDefault();
            // "postgres: checkpointer" is one of its children.
            return program is null
                ? null
                : new Known(
                    Path.GetFileName(program).Split(':')[0].Replace("FactoryStream.", "", StringComparison.Ordinal),
                    process.Value,
                    arguments
                );
        }

        public bool IsTold(string secret) => Environment.Any(variable => variable.Contains(secret, StringComparison.Ordinal));

        public bool HasArgument(string secret) => Arguments.Any(argument => argument.Contains(secret, StringComparison.Ordinal));
    }
}
