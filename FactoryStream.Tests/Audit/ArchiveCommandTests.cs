using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using FactoryStream.Audit.Evidence;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Storage;
using FactoryStream.Tests.Storage;
using Npgsql;

namespace FactoryStream.Tests.Audit;

[Collection(DatabaseTests.Name)]
public sealed class ArchiveCommandTests(PostgresFixture postgres)
{
    [SkippableFact]
    public async Task A_partition_is_archived_by_command_and_audited_without_the_database()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var (file, keys) = (Path.Combine(folder.Path, "day.parquet"), Path.Combine(folder.Path, "key.pem"));
        await File.WriteAllTextAsync(keys, signer.ExportPublicKeyPem());
        var database = await StoreAsync(
            signer,
            ArchivedReadings.Signed(signer, "b", 1),
            ArchivedReadings.Signed(signer, "a", 2),
            ArchivedReadings.Signed(signer, "a", 1)
        );

        var (exitCode, output, error) = await RunAsync("archive", file, "--partition", "readings_20260225", "--database", database);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.StartsWith("3 readings of readings_20260225, ", output, StringComparison.Ordinal);
        Assert.Equal(
            ["a 1", "a 2", "b 1"],
            await EvidenceArchive
                .ReadAsync(file, CancellationToken.None)
                .Select(reading => $"{reading.EngineId} {reading.MeasuredAt.Second}")
                .Order()
                .ToListAsync()
        );
        Assert.Equal((0, "accepted       3\n", ""), await RunAsync("audit", file, "--public-keys", keys));
        Assert.Equal([file, keys], Directory.EnumerateFiles(folder.Path).Order());

        var again = await RunAsync("archive", file, "--partition", "readings_20260225", "--database", database);
        Assert.Contains("evidence is not overwritten", again.Error, StringComparison.Ordinal);
        var unknown = await RunAsync("archive", Path.Combine(folder.Path, "x"), "--partition", "readings_20260226", "--database", database);
        Assert.Contains("There are: readings_20260225", unknown.Error, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_reading_whose_bytes_were_changed_in_the_database_is_not_archived()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var forged = ArchivedReadings.Signed(signer, "e", 1);
        var database = await StoreAsync(
            signer,
            ArchivedReadings.Signed(signer, "e", 0),
            forged with
            {
                Data = forged.Data.Replace("\"rpm\": 1", "\"rpm\": 9", StringComparison.Ordinal),
            }
        );

        var (exitCode, _, error) = await RunAsync(
            "archive",
            Path.Combine(folder.Path, "day.parquet"),
            "--partition",
            "readings_20260225",
            "--database",
            database
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("1 of 2 readings in the database are not what was signed", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [SkippableFact]
    public async Task A_reading_without_a_signature_of_its_own_is_not_archived_as_if_it_had_one()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var connectionString = await StoreAsync(signer, ArchivedReadings.Signed(signer, "e", 0), ArchivedReadings.Signed(signer, "e", 1));
        await using (var database = NpgsqlDataSource.Create(connectionString))
        {
            await database.RowsAsync(
                "ALTER TABLE factory.readings DROP CONSTRAINT IF EXISTS ck_readings_evidence, ALTER COLUMN signature DROP NOT NULL"
            );
            await database.RowsAsync("UPDATE factory.readings SET signature = NULL WHERE measured_at > $1", ArchivedReadings.Noon);
        }

        var (exitCode, _, error) = await RunAsync(
            "archive",
            Path.Combine(folder.Path, "day.parquet"),
            "--partition",
            "readings_20260225",
            "--database",
            connectionString
        );

        Assert.Equal(1, exitCode);
        Assert.Contains("1 readings have no signature of their own", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [SkippableFact]
    public async Task The_documented_export_keeps_the_line_breaks_that_were_signed_and_the_audit_finds_it_true()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var connectionString = new NpgsqlConnectionStringBuilder(
            await StoreAsync(
                signer,
                ArchivedReadings.Signed(
                    signer,
                    "e",
                    0,
                    "{\n\t\"factory_id\": \"f\",\r\n\n  \"engine_id\": \"e\", "
                        + "\"timestamp\": \"2026-02-25 12:00:00\",\n\"größe\\\\n\": 1\n}"
                ),
                ArchivedReadings.Signed(signer, "e", 1)
            )
        );
        var address =
            $"host={connectionString.Host} port={connectionString.Port} user={connectionString.Username} "
            + $"dbname={connectionString.Database}";
        var evidence = Path.Combine(folder.Path, "evidence.ndjson");
        var exports = Regex.Matches(
            await File.ReadAllTextAsync(Path.Combine(SharedData.Root, "docs", "operations.md")),
            "psql \"\\$FACTORYDB\" -Atc \"(?<sql>[^\"]+)\""
        );
        Assert.Equal(2, exports.Count);
        await using (var file = File.Create(evidence))
        {
            foreach (Match export in exports)
                await file.WriteAsync(await PsqlAsync(address, export.Groups["sql"].Value));
        }

        var result = await ArchivedReadings
            .AuditWith(signer)
            .CheckAsync(evidence, (line, verdict, detail) => Assert.Fail($"{line} {verdict} {detail}"), CancellationToken.None);

        Assert.Equal((2, true), (result[Verdict.Accepted], result.IsClean));
        Assert.Contains("\r\n\n  \"engine_id\"", await File.ReadAllTextAsync(evidence), StringComparison.Ordinal);
    }

    private static async Task<byte[]> PsqlAsync(string address, string sql)
    {
        Process? psql = null;
        try
        {
            psql = Process.Start(new ProcessStartInfo("psql", [address, "-Atc", sql]) { RedirectStandardOutput = true });
        }
        catch (Win32Exception)
        {
            Skip.If(true, "no psql on this machine");
        }
        using var process = psql!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output, timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }

    /// <summary>A database with a day's partition of these readings.</summary>
    private async Task<string> StoreAsync(ReadingSigner signer, params ArchivedReading[] readings)
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        await database.RowsAsync("UPDATE factory.installation SET daily_since = '2026-02-01'");
        await database.RowsAsync(
            """
            INSERT INTO factory.signing_keys (key_id, factory_id, algorithm, public_key, enrolled_at)
            VALUES ('k', 'f', 'RSASSA-PSS-SHA256', $1, now())
            """,
            PemEncoding.TryFind(signer.ExportPublicKeyPem(), out var pem)
                ? Convert.FromBase64String(signer.ExportPublicKeyPem()[pem.Base64Data])
                : []
        );
        foreach (var engine in readings.Select(reading => reading.EngineId).Distinct())
            await database.RowsAsync("INSERT INTO factory.engines (factory_id, engine_id) VALUES ('f', $1)", engine);
        await new TablePartitions(database, "readings").EnsureAsync(ArchivedReadings.Noon, CancellationToken.None);
        foreach (var reading in readings)
        {
            await database.RowsAsync(
                """
                INSERT INTO factory.readings (engine_no, key_no, measured_at, verdict_at, data_sha256, data, signature)
                SELECT engine_no, key_no, $2, $3, $4, $5::json, $6 FROM factory.engines, factory.signing_keys WHERE engine_id = $1
                """,
                reading.EngineId,
                reading.MeasuredAt,
                reading.VerdictAt,
                SHA256.HashData(Encoding.UTF8.GetBytes(reading.Data)),
                reading.Data,
                reading.Signature
            );
        }
        return connectionString;
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = await FactoryStream.Audit.CommandLine.RunAsync(args, output, error);
        return (exitCode, output.ToString(), error.ToString());
    }
}
