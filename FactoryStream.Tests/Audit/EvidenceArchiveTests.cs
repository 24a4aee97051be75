using FactoryStream.Audit;
using FactoryStream.Audit.Evidence;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using Parquet;
using Parquet.Schema;

namespace FactoryStream.Tests.Audit;

public sealed class EvidenceArchiveTests
{
    [Fact]
    public async Task What_was_signed_is_read_back_to_the_byte_and_still_holds()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var file = Path.Combine(folder.Path, "day.parquet");
        ArchivedReading[] readings =
        [
            ArchivedReadings.Signed(
                signer,
                "e",
                0,
                "{ \"factory_id\":\"f\",\t\"engine_id\" : \"e\", \"timestamp\":\"2026-02-25T12:00:00Z\", \"rpm\": 1.50e0 , "
                    + "\"größe\":1, \"\\u0041\":2}"
            ),
            ArchivedReadings.Signed(
                signer,
                "é",
                1,
                "{\n  \"factory_id\": \"f\",\n  \"engine_id\": \"é\",\n  \"timestamp\": \"2026-02-25 12:00:01\"\n, \"𝄞\": -0.0}"
            ),
        ];

        var written = await WriteAsync(file, readings);

        Assert.Equal(2, written.Readings);
        Assert.Equal(written, await EvidenceArchive.DigestAsync(file, CancellationToken.None));
        var read = await EvidenceArchive.ReadAsync(file, CancellationToken.None).ToListAsync();
        Assert.Equal(readings.Select(reading => reading with { Signature = [] }), read.Select(reading => reading with { Signature = [] }));
        Assert.Equal(readings.Select(reading => reading.Signature), read.Select(reading => reading.Signature));
        var result = await ArchivedReadings
            .AuditWith(signer)
            .CheckAsync(file, (row, verdict, detail) => Assert.Fail($"{row} {verdict} {detail}"), CancellationToken.None);
        Assert.Equal((true, 2L), (result.IsClean, result.Total));
    }

    [Fact]
    public async Task An_audit_finds_changed_bytes_another_key_and_columns_that_lie()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var file = Path.Combine(folder.Path, "day.parquet");
        var good = Enumerable.Range(0, 6).Select(second => ArchivedReadings.Signed(signer, "e", second)).ToArray();
        await WriteAsync(
            file,
            [
                good[0],
                good[1] with
                {
                    Data = good[1].Data.Replace("\"rpm\": 1", "\"rpm\": 2", StringComparison.Ordinal),
                },
                good[2] with
                {
                    KeyId = "other",
                },
                good[3] with
                {
                    EngineId = "e2",
                },
                good[4] with
                {
                    MeasuredAt = ArchivedReadings.Noon.AddDays(1),
                },
                good[5] with
                {
                    FactoryId = "g",
                },
            ]
        );
        var wrong = new List<string>();

        await ArchivedReadings
            .AuditWith(signer)
            .CheckAsync(file, (row, verdict, detail) => wrong.Add($"{row} {verdict.ToName()} {detail}".TrimEnd()), CancellationToken.None);

        Assert.Equal(
            [
                "2 bad_signature",
                "3 unknown_key",
                "4 malformed column engine_id says e2, the signed bytes e",
                "5 malformed column measured_at says 2026-02-26T12:00:00.0000000Z, the signed bytes 2026-02-25T12:00:04.0000000Z",
                "6 malformed column factory_id says g, the signed bytes f",
            ],
            wrong
        );
    }

    [Fact]
    public async Task Any_change_of_any_field_is_another_digest()
    {
        using var folder = new TemporaryFolder();
        var reading = new ArchivedReading("f", "e", ArchivedReadings.Noon, ArchivedReadings.Noon, "k", "{}", [1, 2]);
        ArchivedReading[] others =
        [
            reading,
            reading with
            {
                FactoryId = "fe",
                EngineId = "",
            },
            reading with
            {
                EngineId = "x",
            },
            reading with
            {
                MeasuredAt = ArchivedReadings.Noon.AddMicroseconds(1),
            },
            reading with
            {
                VerdictAt = ArchivedReadings.Noon.AddMicroseconds(1),
            },
            reading with
            {
                KeyId = "",
            },
            reading with
            {
                Data = "{ }",
            },
            reading with
            {
                Signature = [1],
            },
            reading with
            {
                Signature = [1, 3],
            },
        ];

        var digests = new List<string>();
        foreach (var other in others)
            digests.Add((await WriteAsync(Path.Combine(folder.Path, $"{digests.Count}"), [other])).Sha256);

        Assert.Equal(others.Length, digests.Distinct().Count());
    }

    [Fact]
    public async Task More_than_fits_in_memory_at_once_keeps_its_order()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "day.parquet");

        await WriteAsync(
            file,
            [
                .. Enumerable
                    .Range(0, 65_537)
                    .Select(i => new ArchivedReading(
                        "f",
                        "e",
                        ArchivedReadings.Noon.AddMilliseconds(i),
                        ArchivedReadings.Noon,
                        "k",
                        "{}",
                        [(byte)i]
                    )),
            ]
        );

        var expected = 0;
        await foreach (var reading in EvidenceArchive.ReadAsync(file, CancellationToken.None))
            Assert.Equal(ArchivedReadings.Noon.AddMilliseconds(expected++), reading.MeasuredAt);
        Assert.Equal(65_537, expected);
    }

    [Fact]
    public async Task A_damaged_file_is_named_and_another_Parquet_file_as_well()
    {
        using var folder = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var (cut, other) = (Path.Combine(folder.Path, "cut.parquet"), Path.Combine(folder.Path, "other.parquet"));
        await WriteAsync(cut, [ArchivedReadings.Signed(signer, "e", 0)]);
        await File.WriteAllBytesAsync(cut, (await File.ReadAllBytesAsync(cut))[..^20]);
        var field = new DataField<int>("x");
        await using (var stream = File.Create(other))
        {
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), stream);
            using var rows = writer.CreateRowGroup();
            await rows.WriteAsync<int>(field, Enumerable.Range(0, 1).ToArray());
        }

        Assert.Contains(
            "cut.parquet cannot be read",
            (
                await Assert.ThrowsAsync<EvidenceException>(() =>
                    ArchivedReadings.AuditWith(signer).CheckAsync(cut, null, CancellationToken.None)
                )
            ).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no column factory_id",
            (
                await Assert.ThrowsAsync<EvidenceException>(() =>
                    ArchivedReadings.AuditWith(signer).CheckAsync(other, null, CancellationToken.None)
                )
            ).Message,
            StringComparison.Ordinal
        );
    }

    private static async Task<ArchiveDigest> WriteAsync(string file, ArchivedReading[] readings)
    {
        await using var stream = File.Create(file);
        return await EvidenceArchive.WriteAsync(stream, readings.ToAsyncEnumerable(), CancellationToken.None);
    }
}
