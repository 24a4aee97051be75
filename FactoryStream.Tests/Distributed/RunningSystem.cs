using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using FactoryStream.Signatures;
using FactoryStream.Tests.AppHost;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace FactoryStream.Tests.Distributed;

/// <summary>A whole system of the AppHost's making, on its own ports and data folder; nothing simulated unless asked for.</summary>
internal sealed class RunningSystem : IAsyncDisposable
{
    public const string AdminToken = "the-tests-admin-token";

    /// <summary>How long anything may take before a test says that it will not come.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly TemporaryFolder folder;

    private RunningSystem(DistributedApplication app, NpgsqlDataSource database, TemporaryFolder folder)
    {
        App = app;
        Database = database;
        this.folder = folder;
    }

    public DistributedApplication App { get; }

    public NpgsqlDataSource Database { get; }

    /// <summary>Starts the system and waits until every service is healthy.</summary>
    public static async Task<RunningSystem> StartAsync(params string[] args)
    {
        LocalServers.UseKafkaBesideTheCheckout();
        var folder = new TemporaryFolder().Reachable();
        // A whole system is a dozen processes, one after the other.
        using var timeout = new CancellationTokenSource(2 * Patience);
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.FactoryStream_AppHost>(
            [
                "--simulator=false",
                "--aspire-dashboard=false",
                "--persistent=false",
                $"--Parameters:admin-token={AdminToken}",
                $"--data={folder.Path}/data",
                // Many tests wait for the last windows of engines that have gone idle.
                "--aggregator:IdleTimeout=00:00:03",
                .. args,
            ],
            timeout.Token
        );
        var app = await builder.BuildAsync(timeout.Token);
        try
        {
            await app.StartAsync(timeout.Token);
            foreach (var service in (string[])["ingest", "verifier", "aggregator", "dashboard"])
                await app.ResourceNotifications.WaitForResourceHealthyAsync(service, timeout.Token);
            var connection = await app.GetConnectionStringAsync("factorydb", timeout.Token);
            return new RunningSystem(app, NpgsqlDataSource.Create(connection!), folder);
        }
        catch
        {
            await app.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await App.DisposeAsync();
        folder.Dispose();
    }

    public HttpClient Client(string service)
    {
        var client = App.CreateHttpClient(service);
        client.Timeout = Patience;
        return client;
    }

    /// <summary>Enrols a public key for a factory; its id.</summary>
    public async Task<string> EnrolAsync(string factoryId, string publicKeyPem)
    {
        using var client = Client("verifier");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AdminToken);
        using var response = await client.PostAsJsonAsync("/keys", new { factory_id = factoryId, public_key = publicKeyPem });
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}: {body}");
        return JsonDocument.Parse(body).RootElement.GetProperty("key_id").GetString()!;
    }

    /// <summary>Posts lines as NDJSON; the status and the answer.</summary>
    public async Task<(int Status, JsonElement Answer)> PostAsync(params IEnumerable<string> lines)
    {
        using var client = Client("ingest");
        using var content = new StringContent(string.Join('\n', lines), Encoding.UTF8, new MediaTypeHeaderValue("application/x-ndjson"));
        using var response = await client.PostAsync("/readings", content);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    /// <summary>One value of one row.</summary>
    public async Task<T> QueryAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public Task<long> StoredAsync(string factoryId) =>
        QueryAsync<long>("SELECT count(*) FROM factory.readings JOIN factory.engines USING (engine_no) WHERE factory_id = $1", factoryId);

    /// <summary>A factory's ledger, or null while there are none.</summary>
    public async Task<Ledger?> LedgerAsync(string factoryId)
    {
        using var client = Client("dashboard");
        var answer = await client.GetFromJsonAsync<JsonElement>("/api/books");
        return Ledger.Of(answer, factoryId);
    }

    /// <summary>Waits until a factory's ledger are quiet: so many accepted, and nothing on its way.</summary>
    public Task<Ledger> LedgerWithoutBacklogAsync(string factoryId, long accepted) =>
        EventuallyAsync(() => LedgerAsync(factoryId), ledger => ledger is { Backlog: 0 } && ledger.Accepted >= accepted)!;

    /// <summary>Asks again until the answer is the wanted one; the last answer in the error when it never is.</summary>
    /// <param name="ask">Gives the answer.</param>
    /// <param name="wanted">Whether it is the wanted one.</param>
    /// <param name="patience">How long it may take; <see cref="Patience"/> if it is not given.</param>
    public static async Task<T> EventuallyAsync<T>(Func<Task<T>> ask, Predicate<T> wanted, TimeSpan? patience = null)
    {
        var limit = patience ?? Patience;
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var answer = await ask();
            if (wanted(answer))
                return answer;
            Assert.True(watch.Elapsed < limit, $"After {limit.TotalSeconds:F0} s still: {JsonSerializer.Serialize(answer)}");
            await Task.Delay(50, CancellationToken.None);
        }
    }

    /// <summary>The instances of a resource that run now, with their process ids.</summary>
    public async Task<IReadOnlyDictionary<string, int>> InstancesAsync(string service)
    {
        var instances = new Dictionary<string, int>();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        try
        {
            // The stream begins with the present state of everything.
            await foreach (var change in App.ResourceNotifications.WatchAsync(soon.Token))
            {
                if (change.Resource.Name != service)
                    continue;
                var pid = change.Snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value;
                if (change.Snapshot.State?.Text == KnownResourceStates.Running && pid is not null)
                    instances[change.ResourceId] = Convert.ToInt32(pid, CultureInfo.InvariantCulture);
                else
                    instances.Remove(change.ResourceId);
            }
        }
        catch (OperationCanceledException)
        {
            // The present state is what was asked for.
        }
        return instances;
    }

    /// <summary>Waits for a line of an instance's console that contains a text.</summary>
    public async Task SaysAsync(string id, string text)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await foreach (var lines in App.Services.GetRequiredService<ResourceLoggerService>().WatchAsync(id).WithCancellation(timeout.Token))
        {
            if (lines.Any(line => line.Content.Contains(text, StringComparison.Ordinal)))
                return;
        }
        Assert.Fail($"the console of {id} ended");
    }

    /// <summary>Kills one instance as a power cut would, and waits until the orchestrator has started it again by itself.</summary>
    public async Task KillAndReviveAsync(string service)
    {
        var before = await InstancesAsync(service);
        var pid = before.Values.First();
        using (var process = Process.GetProcessById(pid))
            process.Kill();

        using var timeout = new CancellationTokenSource(Patience);
        while (true)
        {
            var now = await InstancesAsync(service);
            if (now.Count == before.Count && !now.Values.Contains(pid))
                return;
            await Task.Delay(50, timeout.Token);
        }
    }

    /// <summary>Starts or stops every instance of a service, as the dashboard's buttons do.</summary>
    public async Task CommandAsync(string service, string command)
    {
        var resource = App
            .Services.GetRequiredService<DistributedApplicationModel>()
            .Resources.Single(resource => resource.Name == service);
        using var timeout = new CancellationTokenSource(Patience);
        var result = await App.ResourceCommands.ExecuteCommandAsync(resource, command, timeout.Token);
        Assert.True(result.Success, $"{command} {service}: {result.Message}");
    }

    public Task HealthyAsync(string service) =>
        App.ResourceNotifications.WaitForResourceHealthyAsync(service, WaitBehavior.WaitOnResourceUnavailable).WaitAsync(Patience);

    /// <summary>
    /// Waits until so many readings of the factories of a prefix are stored, and holds that none is twice, that each is in one window's
    /// count, and that the ledger balance.
    /// </summary>
    public async Task AssertStoredOnceAsync(string factoryPrefix, long acknowledged)
    {
        var like = $"{factoryPrefix}%";
        var stored = await EventuallyAsync(
            () =>
                QueryAsync<long>(
                    "SELECT count(*) FROM factory.readings JOIN factory.engines USING (engine_no) WHERE factory_id LIKE $1",
                    like
                ),
            stored => stored >= acknowledged
        );
        Assert.Equal(acknowledged, stored);
        Assert.Equal(
            stored,
            await QueryAsync<long>(
                "SELECT count(DISTINCT (engine_no, measured_at, data_sha256)) FROM factory.readings JOIN factory.engines USING "
                    + "(engine_no) WHERE factory_id LIKE $1",
                like
            )
        );

        // Each reading is in one window's count, too, once the last windows have closed by the clock.
        await EventuallyAsync(
            () =>
                QueryAsync<string>(
                    """
                    SELECT coalesce(string_agg(DISTINCT total::text, ','), '') FROM (
                        SELECT sum(count) AS total FROM factory.windows JOIN factory.engines USING (engine_no)
                        WHERE factory_id LIKE $1 GROUP BY metric) AS metrics
                    """,
                    like
                ),
            totals => totals == stored.ToString(CultureInfo.InvariantCulture)
        );
        foreach (
            var factory in await QueryAsync<string[]>(
                "SELECT array_agg(DISTINCT factory_id) FROM factory.engines WHERE factory_id LIKE $1",
                like
            )
        )
        {
            var ledger = await LedgerWithoutBacklogAsync(factory, 1);
            ledger.AssertBalanced();
            Assert.Equal(ledger.Stored, await StoredAsync(factory));
            Assert.Empty(ledger.Rejected);
        }
    }

    /// <summary>A signed reading of an engine, as a machine would send it.</summary>
    public static string Sign(ReadingSigner signer, string factoryId, string engineId, DateTime measuredAt, double value)
    {
        var data = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"factory_id": "{{factoryId}}", "engine_id": "{{engineId}}","""
                + $$""" "timestamp": "{{measuredAt:yyyy-MM-dd HH:mm:ss.fff}}", "rpm": {{value}}}"""
        );
        var signature = new byte[512];
        var length = signer.Sign(Encoding.UTF8.GetBytes(data), signature);
        return $$"""{"data": {{data}}, "signature": "{{Convert.ToBase64String(signature, 0, length)}}"}""";
    }
}
