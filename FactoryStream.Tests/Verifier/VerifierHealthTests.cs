using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json;
using Confluent.Kafka;
using FactoryStream.Signatures;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FactoryStream.Tests.Verifier;

/// <summary>Which backend checks signatures is to be seen from outside.</summary>
public sealed class VerifierHealthTests
{
    [Fact]
    public async Task Health_tells_the_engines_and_what_is_lacking()
    {
        using var signatures = new SignatureVerifier();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.AddDefaultHealthChecks();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IKeyStore>(new MemoryKeyStore());
        builder.Services.AddSingleton<IProducer<byte[]?, byte[]>>(new RecordingProducer());
        builder.Services.AddSingleton(signatures);
        builder.Services.AddSingleton<KeyRing>();
        builder.Services.AddVerdictWriting();
        builder.Services.AddVerifierOptions();
        builder.Services.AddVerifierHealth();
        await using var app = builder.Build();
        app.MapDefaultEndpoints();
        await app.StartAsync();
        using var client = app.GetTestClient();

        using var response = await client.GetAsync("/health").WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "application/json"),
            (response.StatusCode, response.Content.Headers.ContentType?.MediaType)
        );
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal("Unhealthy", body.RootElement.GetProperty("status").GetString());
        var check = body.RootElement.GetProperty("checks").GetProperty("verifier");
        Assert.Equal(
            ("Unhealthy", "The signing keys are not loaded yet."),
            (check.GetProperty("status").GetString(), check.GetProperty("description").GetString())
        );
        var data = check.GetProperty("data");
        Assert.Equal(signatures.BackendName, data.GetProperty("signature_backend").GetString());
        Assert.Equal(
            signatures.Backends,
            data.GetProperty("signature_backends")
                .EnumerateObject()
                .ToDictionary(backend => backend.Name, backend => backend.Value.GetString()!)
        );
        Assert.Equal(signatures.PreparedKeys, data.GetProperty("prepared_keys").GetInt32());
        Assert.Equal((0, 0), (data.GetProperty("keys").GetInt32(), data.GetProperty("in_flight_bytes").GetInt64()));
        Assert.Equal("Healthy", await client.GetStringAsync("/alive").WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public void Metrics_tell_the_backends_and_what_each_has_checked()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var signatures = new SignatureVerifier();
        using var metrics = new VerifierMetrics(services.GetRequiredService<IMeterFactory>(), signatures);
        var check = new SignatureCheck(Factories.PublicKey(0), new byte[] { 1 }, new byte[256]);
        signatures.Verify([.. Enumerable.Repeat(check, 32)], new bool[32]);

        var measured = new Dictionary<(string Instrument, object? Backend), long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, to) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, services.GetRequiredService<IMeterFactory>()))
                to.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => measured[(instrument.Name, Backend(tags))] = value);
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => measured[(instrument.Name, Backend(tags))] = value);
        listener.Start();
        listener.RecordObservableInstruments();

        foreach (var (backend, state) in signatures.Backends)
            Assert.Equal(state == SignatureVerifier.On ? 1 : 0, measured[("factorystream.verifier.signature.backend", backend)]);
        Assert.Equal(32, measured.Where(one => one.Key.Instrument == "factorystream.verifier.signature.checked").Sum(one => one.Value));
        Assert.Equal(32, measured[("factorystream.verifier.signature.checked", signatures.BackendName)]);
        Assert.Equal(0, measured[("factorystream.verifier.signature.disagreement", null)]);
        Assert.Equal(signatures.PreparedKeys, measured[("factorystream.verifier.key.prepared", null)]);

        static object? Backend(ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags.Length == 0 ? null : tags[0].Value;
    }
}
