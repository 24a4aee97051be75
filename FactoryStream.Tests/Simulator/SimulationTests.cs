using System.Net.Http.Json;
using System.Text.Json;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Commands;
using FactoryStream.Simulator.Sending;
using FactoryStream.Simulator.Simulation;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace FactoryStream.Tests.Simulator;

public sealed class SimulationTests
{
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 2, 25, 6, 13, 20, 125, TimeSpan.Zero));

    [Fact]
    public async Task A_factory_sends_its_engines_readings_once_a_second_in_one_post()
    {
        var poster = new RecordingPoster();
        var factory = Create(poster, new SimulatorOptions { Engines = 3 });

        for (var second = 0; second < 4; second++)
        {
            factory.Tick();
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        await SendAllAsync(factory);

        Assert.Equal(4, poster.Posts.Count);
        Assert.All(poster.Posts, post => Assert.Equal(3, post.Count(character => character == '\n')));
        Assert.Equal(12, factory.Counts.Acknowledged);
        Assert.Equal(
            ["engine_001 06:13:20.125", "engine_002 06:13:20.125", "engine_003 06:13:20.125", "engine_001 06:13:21.125"],
            Readings(poster).Take(4).Select(reading => $"{reading.EngineId} {reading.MeasuredAt:HH:mm:ss.fff}")
        );
    }

    [Fact]
    public async Task Quicker_engines_still_send_about_one_post_a_second()
    {
        var poster = new RecordingPoster();
        var factory = Create(poster, new SimulatorOptions { Engines = 2, Rate = 10 });

        for (var tick = 0; tick < 30; tick++)
        {
            factory.Tick();
            clock.Advance(TimeSpan.FromSeconds(0.1));
        }
        await SendAllAsync(factory);

        Assert.Equal(60, factory.Counts.Acknowledged);
        Assert.Equal(3, poster.Posts.Count);
    }

    [Fact]
    public async Task A_changed_rate_counts_at_once_and_not_after_the_slow_interval()
    {
        var poster = new RecordingPoster();
        var pace = new Pace(0.01);
        var factory = Create(poster, new SimulatorOptions { Engines = 1 }, pace);
        using var stop = new CancellationTokenSource();
        var measuring = factory.MeasureAsync(stop.Token, CancellationToken.None);
        var sending = factory.SendAsync(CancellationToken.None);
        // It listens from the moment on that its first reading is taken.
        await EventuallyAsync(() => poster.Posts.Count == 1);

        pace.ChangeRate(1);
        clock.Advance(TimeSpan.FromSeconds(1));

        await EventuallyAsync(() => poster.Posts.Count == 2);
        await stop.CancelAsync();
        await Task.WhenAll(measuring, sending);
    }

    [Fact]
    public async Task A_full_buffer_stops_the_measuring_and_loses_nothing_that_was_signed()
    {
        var poster = new RecordingPoster();
        var factory = Create(poster, new SimulatorOptions { Engines = 2, BufferedPosts = 3 });

        for (var second = 0; second < 10; second++)
        {
            factory.Tick();
            clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(3, factory.Waiting);
        Assert.Equal(12, factory.Skipped);
        await SendAllAsync(factory);

        // Three POSTs of the buffer; the reading taken while it filled up follows when there is room.
        Assert.Equal(
            ["20.125", "21.125", "22.125", "23.125"],
            Readings(poster).Where(reading => reading.EngineId == "engine_001").Select(reading => $"{reading.MeasuredAt:ss.fff}")
        );
    }

    [Fact]
    public async Task Run_as_a_service_it_enrols_sends_pauses_and_outlives_an_Ingest_that_is_away()
    {
        await using var ingest = await IngestStub.StartAsync();
        using var folder = new TemporaryFolder();
        var app = SimulateCommand.Build(
            new Dictionary<string, string?>
            {
                ["Factories"] = "2",
                ["Engines"] = "2",
                ["Rate"] = "20",
                ["Keys"] = folder.Path,
                ["AdminToken"] = "secret",
            },
            ingest.Address.ToString(),
            ingest.Address.ToString()
        );
        await using (app)
        {
            await app.StartAsync();
            using var client = new HttpClient
            {
                BaseAddress = new Uri(
                    app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()
                ),
            };

            await EventuallyAsync(() => ingest.Accepted.Count >= 2);
            Assert.Equal("Healthy", (await client.GetFromJsonAsync<JsonElement>("/health")).GetProperty("status").GetString());
            Assert.Equal("Healthy", await client.GetStringAsync("/alive"));
            ingest.IsAway = true;
            await EventuallyAsync(() => ingest.Posts.Count >= ingest.Accepted.Count + 4);
            ingest.IsAway = false;
            var paused = await (await client.PostAsync("/pause", null)).Content.ReadFromJsonAsync<JsonElement>();
            Assert.True(paused.GetProperty("paused").GetBoolean());
            var resumed = await (await client.PostAsync("/resume", null)).Content.ReadFromJsonAsync<JsonElement>();
            Assert.False(resumed.GetProperty("paused").GetBoolean());
            var faster = await client.PostAsync("/rate?readings=50", null);
            Assert.Equal("""{"paused":false,"rate":50}""", await faster.Content.ReadAsStringAsync());
            foreach (var wrong in (string[])["/rate", "/rate?readings=0", "/rate?readings=101", "/rate?readings=many"])
                Assert.Equal(System.Net.HttpStatusCode.BadRequest, (await client.PostAsync(wrong, null)).StatusCode);
            await app.StopAsync();
        }

        Assert.Equal(2, ingest.Enrolments.Count);
        Assert.All(ingest.Enrolments, enrolment => Assert.Equal("Bearer secret", enrolment.Authorization));
        // What was tried and failed has been tried again with the same bytes.
        var accepted = ingest.Accepted.Select(Convert.ToBase64String).ToHashSet();
        Assert.All(ingest.Posts, post => Assert.Contains(Convert.ToBase64String(post), accepted));
        var keys = ingest
            .Enrolments.Select(enrolment => JsonDocument.Parse(enrolment.Body).RootElement)
            .ToDictionary(
                enrolment => enrolment.GetProperty("factory_id").GetString()!,
                enrolment => enrolment.GetProperty("public_key").GetString()
            );
        using var verifier = new SignatureVerifier();
        var parser = new ReadingParser();
        foreach (var line in ingest.AcceptedLines)
        {
            Assert.Equal(Verdict.Accepted, parser.TryParse(System.Text.Encoding.UTF8.GetBytes(line), out var reading, out _));
            Assert.True(RsaPublicKey.TryParsePem(keys[reading.FactoryId], out var key, out _));
            var result = new bool[1];
            verifier.Verify(
                [
                    new SignatureCheck(
                        key,
                        reading.Data,
                        Convert.FromBase64String(System.Text.Encoding.ASCII.GetString(reading.Signature.Span))
                    ),
                ],
                result
            );
            Assert.True(result[0]);
        }
    }

    private SimulatedFactory Create(RecordingPoster poster, SimulatorOptions options, Pace? pace = null)
    {
        var meters = new ServiceCollection()
            .AddMetrics()
            .BuildServiceProvider()
            .GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();
        return new SimulatedFactory(
            "factory_001",
            ReadingSigner.Create(),
            repeating => new Delivery(poster, clock, null, repeating),
            options,
            pace ?? new Pace(options.Rate),
            new SimulatorMetrics(meters),
            clock,
            new Random(1)
        );
    }

    private static IEnumerable<SignedReading> Readings(RecordingPoster poster)
    {
        var parser = new ReadingParser();
        foreach (var line in poster.Posts.SelectMany(post => post.Split('\n', StringSplitOptions.RemoveEmptyEntries)))
        {
            Assert.Equal(Verdict.Accepted, parser.TryParse(System.Text.Encoding.UTF8.GetBytes(line), out var reading, out _));
            yield return reading;
        }
    }

    /// <summary>Sends what waits, and what is collected behind it: a factory that is stopped takes no further reading.</summary>
    private static async Task SendAllAsync(SimulatedFactory factory)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var sending = factory.SendAsync(timeout.Token);
        await factory.StopAsync(timeout.Token);
        await sending;
    }

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(20, timeout.Token);
    }
}
