using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using FactoryStream.Verifier;
using FactoryStream.Verifier.Keys;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static FactoryStream.Tests.Verifier.Factories;

namespace FactoryStream.Tests.Verifier;

[Collection(DatabaseTests.Name)]
public sealed class KeyStoreTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task Times_beyond_all_calendars_and_rows_without_a_key_hide_no_other_key()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var services = new ServiceCollection()
            .AddDbContext<FactoryDbContext>(options => FactoryDbContext.Configure(options.UseNpgsql(connectionString)))
            .BuildServiceProvider();
        var store = new KeyStore(services.GetRequiredService<IServiceScopeFactory>(), new VerifierLog(NullLogger<VerifierLog>.Instance));
        var keys = Enumerable.Range(0, 4).Select(i => Key($"f{i}", 0)).ToArray();
        foreach (var key in keys)
            await store.EnrolAsync(key, "Ann", default);
        await database.RowsAsync(
            "UPDATE factory.signing_keys SET revoked_at = '-infinity', not_before = '-infinity', not_after = 'infinity' "
                + "WHERE factory_id = 'f0'"
        );
        await database.RowsAsync(
            "UPDATE factory.signing_keys SET revoked_at = '294276-01-01', enrolled_at = '4700-01-01 BC' WHERE factory_id = 'f1'"
        );
        await database.RowsAsync("UPDATE factory.signing_keys SET public_key = 'none' WHERE factory_id = 'f2'");
        var before = (await store.FingerprintAsync(default)).Text;

        var loaded = await store.LoadAsync(KeySnapshot.Empty, default);
        await store.RevokeAsync(keys[3].KeyId, Noon, "Ann", default);
        var revoked = (await store.FingerprintAsync(default)).Text;
        await store.RevokeAsync(keys[3].KeyId, Noon.AddSeconds(-1), "Ann", default);
        var revokedEarlier = (await store.FingerprintAsync(default)).Text;

        var end = new DateTime(9999, 12, 31, 23, 59, 59, DateTimeKind.Utc);
        Assert.Equal(
            [
                ("f0", DateTime.UnixEpoch, DateTime.UnixEpoch, end),
                ("f1", end, null, null),
                ("f3", (DateTime?)null, (DateTime?)null, (DateTime?)null),
            ],
            loaded.OrderBy(key => key.FactoryId).Select(key => (key.FactoryId, key.RevokedAt, key.NotBefore, key.NotAfter))
        );
        Assert.Equal(["f0", "f1", "f3"], (await store.ListAsync(null, default)).Select(key => key.FactoryId));
        Assert.Equal(DateTime.UnixEpoch, (await store.FindAsync(keys[1].KeyId, default))!.EnrolledAt);
        // Each change shows, so that each is loaded within a poll.
        Assert.Equal(3, new HashSet<string> { before, revoked, revokedEarlier }.Count);
    }

    [SkippableFact]
    public async Task A_change_of_a_key_is_an_audit_event_and_a_repeat_is_none()
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var services = new ServiceCollection()
            .AddDbContext<FactoryDbContext>(options => FactoryDbContext.Configure(options.UseNpgsql(connectionString)))
            .BuildServiceProvider();
        var store = new KeyStore(services.GetRequiredService<IServiceScopeFactory>(), new VerifierLog(NullLogger<VerifierLog>.Instance));
        var key = Key("f1", 0);

        await store.EnrolAsync(key, "Ann", default);
        await store.EnrolAsync(key, "Bob", default);
        await store.RevokeAsync(key.KeyId, Noon, "Bob", default);
        await store.RevokeAsync(key.KeyId, Noon.AddSeconds(1), "Ann", default);
        await store.RevokeAsync("none", Noon, "Ann", default);

        Assert.Equal(
            [
                $"Ann|admin|key_enrolled|{key.KeyId}|factory f1",
                $"Bob|admin|key_revoked|{key.KeyId}|factory f1, as from {Noon:yyyy-MM-dd HH:mm:ss} UTC",
            ],
            await database.RowsAsync("SELECT who, role, action, subject, detail FROM factory.audit_events ORDER BY event_no")
        );
    }
}
