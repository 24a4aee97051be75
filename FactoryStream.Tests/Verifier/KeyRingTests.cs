using System.Diagnostics.Metrics;
using FactoryStream.Signatures;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

public sealed class KeyRingTests : IDisposable
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(Noon));
    private readonly MemoryKeyStore store = new();
    private readonly SignatureVerifier signatures = new();
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly VerifierMetrics metrics;
    private readonly KeyRing keys;

    public KeyRingTests()
    {
        metrics = new VerifierMetrics(services.GetRequiredService<IMeterFactory>(), signatures);
        keys = new KeyRing(store, time, metrics, new VerifierLog(NullLogger<VerifierLog>.Instance));
    }

    public void Dispose()
    {
        keys.Dispose();
        metrics.Dispose();
        signatures.Dispose();
        services.Dispose();
    }

    [Fact]
    public async Task What_is_new_enough_is_not_asked_for_again()
    {
        Assert.False(keys.IsLoaded);
        var before = time.GetTimestamp();
        Assert.True(await keys.RefreshAsync(before, default));
        Assert.True(await keys.RefreshAsync(before, default));

        Assert.Equal((1, 1), (store.Comparisons, store.Loads));
    }

    [Fact]
    public async Task The_databases_clock_goes_on_between_two_looks_at_it()
    {
        Assert.Null(keys.DatabaseClock);
        store.Clock = Noon.AddMinutes(3);
        await keys.RefreshAsync(time.GetTimestamp(), default);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(Noon.AddMinutes(3).AddSeconds(2), keys.DatabaseClock);

        store.Clock = Noon;
        await keys.RefreshAsync(time.GetTimestamp(), default);
        Assert.Equal(Noon, keys.DatabaseClock);
    }

    [Fact]
    public async Task Keys_are_read_anew_only_when_they_changed()
    {
        var key = Key("f1", 0);
        await store.EnrolAsync(key, "Ann", default);
        await RefreshAsync();
        await RefreshAsync();
        Assert.Equal((2, 1), (store.Comparisons, store.Loads));
        Assert.Null(keys.Current.Find("f1", key.KeyId)!.RevokedAt);

        await store.RevokeAsync(key.KeyId, Noon, "Ann", default);
        await RefreshAsync();

        Assert.Equal(2, store.Loads);
        Assert.Equal(Noon, keys.Current.Find("f1", key.KeyId)!.RevokedAt);
    }

    [Fact]
    public async Task While_the_database_is_away_the_keys_stay_and_age()
    {
        await store.EnrolAsync(Key("f1", 0), "Ann", default);
        await RefreshAsync();
        store.Failure = new NpgsqlException("away");
        time.Advance(TimeSpan.FromSeconds(3));

        Assert.False(await keys.RefreshAsync(time.GetTimestamp(), default));
        Assert.Equal((1, TimeSpan.FromSeconds(3)), (keys.Current.Count, keys.Age));

        store.Failure = null;
        Assert.True(await keys.RefreshAsync(time.GetTimestamp(), default));
        Assert.Equal(TimeSpan.Zero, keys.Age);
    }

    private async Task RefreshAsync()
    {
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await keys.RefreshAsync(time.GetTimestamp(), default));
    }
}
