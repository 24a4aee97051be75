using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FactoryStream.Audit.Evidence;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Tests.Audit;

public sealed class EvidenceAuditTests
{
    [Fact]
    public async Task Real_vectors_are_true_with_either_salt_and_the_broken_ones_are_not()
    {
        var folder = TestData.File("signed-readings");
        var audit = new EvidenceAudit(PublicKeyFile.Read(Path.Combine(folder, "public-key.pem")));
        foreach (var file in (string[])["valid-max-salt.ndjson", "valid-digest-salt.ndjson"])
        {
            var result = await audit.CheckAsync(
                Path.Combine(folder, file),
                (line, verdict, detail) => Assert.Fail($"{file}:{line} {verdict} {detail}"),
                CancellationToken.None
            );
            Assert.True(result.IsClean);
            Assert.Equal(120, result[Verdict.Accepted]);
        }

        using var temporary = new TemporaryFolder();
        var broken = Path.Combine(temporary.Path, "broken.ndjson");
        // Two of the vectors are true in themselves: one is of the future, the other of a factory whose key nobody enrolled.
        var lines = File.ReadAllLines(Path.Combine(folder, "rejected.tsv"))
            .Select(line => line.Split('\t', 2))
            .Where(line =>
                !line[0].StartsWith("future", StringComparison.Ordinal) && !line[0].StartsWith("unknown", StringComparison.Ordinal)
            )
            .ToArray();
        File.WriteAllLines(broken, lines.Select(line => line[1]));
        var verdicts = new List<string>();
        var bad = await audit.CheckAsync(broken, (_, verdict, _) => verdicts.Add(verdict.ToName()), CancellationToken.None);
        Assert.Equal(lines.Select(line => line[0].Split(':')[0].Replace(' ', '_')), verdicts);
        Assert.False(bad.IsClean);
    }

    [Fact]
    public async Task Published_keys_are_checked_by_factory_id_validity_and_revocation()
    {
        using var temporary = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        using var other = ReadingSigner.Create();
        var keys = Path.Combine(temporary.Path, "keys.json");
        File.WriteAllText(
            keys,
            JsonSerializer.Serialize(
                new
                {
                    keys = new object[]
                    {
                        new
                        {
                            key_id = "k1",
                            factory_id = "a",
                            public_key = signer.ExportPublicKeyPem(),
                            not_before = "2026-01-01T00:00:00Z",
                            not_after = (string?)null,
                            revoked_at = "2026-03-01T00:00:00Z",
                        },
                        new
                        {
                            key_id = "k2",
                            factory_id = "a",
                            public_key = other.ExportPublicKeyPem(),
                            not_before = (string?)null,
                            not_after = "2026-06-01T00:00:00Z",
                            revoked_at = (string?)null,
                        },
                    },
                }
            )
        );
        var evidence = Path.Combine(temporary.Path, "evidence.ndjson");
        File.WriteAllLines(
            evidence,
            [
                Line(signer, "a", "2026-02-01 00:00:00", "k1"),
                Line(signer, "a", "2026-02-01 00:00:01", null),
                Line(signer, "a", "2025-12-31 23:59:59", "k1"),
                Line(signer, "a", "2026-03-01 00:00:00", "k1"),
                Line(signer, "a", "2026-02-01 00:00:00", "k2"),
                Line(signer, "a", "2026-02-01 00:00:00", "k3"),
                Line(signer, "b", "2026-02-01 00:00:00", null),
                Line(other, "a", "2026-05-31 23:59:59", "k2"),
                Line(other, "a", "2026-06-01 00:00:00", "k2"),
            ]
        );
        var wrong = new List<string>();

        var result = await new EvidenceAudit(PublicKeyFile.Read(keys)).CheckAsync(
            evidence,
            (line, verdict, _) => wrong.Add($"{line} {verdict.ToName()}"),
            CancellationToken.None
        );

        Assert.Equal(["3 key_not_valid", "4 key_revoked", "5 bad_signature", "6 unknown_key", "7 unknown_key", "9 key_not_valid"], wrong);
        Assert.Equal((3, 9), (result[Verdict.Accepted], result.Total));
    }

    [Fact]
    public async Task A_reading_of_a_batch_is_true_when_its_batch_is_and_holds_it()
    {
        using var temporary = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        using var other = ReadingSigner.Create();
        var keys = Path.Combine(temporary.Path, "keys.json");
        File.WriteAllText(
            keys,
            JsonSerializer.Serialize(
                new
                {
                    keys = new object[]
                    {
                        new
                        {
                            key_id = "k1",
                            factory_id = "a",
                            public_key = signer.ExportPublicKeyPem(),
                            not_before = "2026-01-01T00:00:00Z",
                            not_after = (string?)null,
                            revoked_at = "2026-03-01T00:00:00Z",
                        },
                    },
                }
            )
        );
        string first = Data("2026-02-01 00:00:00"),
            second = Data("2026-02-01 00:00:01"),
            third = Data("2026-02-01 00:00:02");
        string old = Data("2025-12-31 23:59:59"),
            revoked = Data("2026-03-01 00:00:00");
        string good = $"[{first},  {second}]",
            forged = $"[{third}]",
            early = $"[{first}, {old}]",
            late = $"[{revoked}, {first}]";
        var evidence = Path.Combine(temporary.Path, "evidence.ndjson");
        await File.WriteAllLinesAsync(
            evidence,
            [
                Batch(signer, good),
                Batch(other, forged),
                Batch(signer, early),
                Batch(signer, late),
                Of(first, good),
                Of(second, good),
                Of(third, good),
                Of(second.Replace("\"rpm\": 1", "\"rpm\": 2", StringComparison.Ordinal), good),
                Of(third, forged),
                Of(first, early),
                Of(first, late),
                Of(first, "[]"),
                """{"data": {}, "batch_sha256": "none"}""",
            ]
        );
        var wrong = new List<string>();

        var result = await new EvidenceAudit(PublicKeyFile.Read(keys)).CheckAsync(
            evidence,
            (line, verdict, detail) => wrong.Add($"{line} {verdict.ToName()} {detail}".Trim()),
            CancellationToken.None
        );

        Assert.Equal(
            [
                "2 bad_signature",
                "3 key_not_valid",
                "4 key_revoked",
                "7 bad_signature its batch does not hold it",
                "8 bad_signature its batch does not hold it",
                "9 bad_signature",
                "10 key_not_valid",
                "11 key_revoked",
                "12 bad_signature its batch does not stand before it",
                "13 malformed factory_id: missing",
            ],
            wrong
        );
        Assert.Equal((3, 13), (result[Verdict.Accepted], result.Total));

        static string Data(string timestamp) => $$"""{"factory_id": "a", "engine_id": "e", "timestamp": "{{timestamp}}", "rpm": 1}""";

        static string Batch(ReadingSigner signer, string array)
        {
            var line = new ArrayBufferWriter<byte>();
            Envelope.AppendBatch(line, Encoding.UTF8.GetBytes(array), signer, SaltLength.Digest);
            return Encoding.UTF8.GetString(line.WrittenSpan).TrimEnd('\n')[..^1] + ", \"key_id\": \"k1\"}";
        }

        static string Of(string data, string array) =>
            $$"""{"data" : {{data}}, "batch_sha256" : "{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(array)))}}"}""";
    }

    [Fact]
    public async Task A_pretty_printed_reading_is_true_as_it_was_signed_and_a_cut_off_one_spoils_no_other()
    {
        using var temporary = new TemporaryFolder();
        using var signer = ReadingSigner.Create();
        var (keys, evidence) = (Path.Combine(temporary.Path, "keys.pem"), Path.Combine(temporary.Path, "evidence.ndjson"));
        File.WriteAllText(keys, signer.ExportPublicKeyPem());
        var pretty = Pretty(
            signer,
            "{\n\t\"factory_id\": \"a\",\r\n\n  \"engine_id\": \"e\", \"timestamp\": \"2026-02-01 "
                + "00:00:00\",\n\"a\":\n1\n,\n\n\"rpm\": 1\n}"
        );
        var whole = Line(signer, "a", "2026-02-01 00:00:01", null);
        string[] parts =
        [
            pretty,
            whole,
            "",
            pretty.Replace("rpm\": 1", "rpm\": 2", StringComparison.Ordinal),
            whole,
            whole[..40],
            pretty,
            "{\"data\":",
            whole,
            pretty[..^10],
            pretty,
            "no JSON",
            whole,
            "{\"data\": {\n\"a\": 1\n",
        ];
        File.WriteAllText(evidence, string.Join('\n', parts));
        var wrong = new List<string>();

        var result = await new EvidenceAudit(PublicKeyFile.Read(keys)).CheckAsync(
            evidence,
            (line, verdict, _) => wrong.Add($"{line} {verdict.ToName()}"),
            CancellationToken.None
        );

        Assert.Equal(
            ["13 bad_signature", "24 malformed", "35 malformed", "37 malformed", "46 malformed", "57 malformed", "59 malformed"],
            wrong
        );
        Assert.Equal((7, 14), (result[Verdict.Accepted], result.Total));
    }

    private static string Pretty(ReadingSigner signer, string data)
    {
        var line = new ArrayBufferWriter<byte>();
        Envelope.Append(line, Encoding.UTF8.GetBytes(data), signer, SaltLength.Digest);
        return Encoding.UTF8.GetString(line.WrittenSpan).TrimEnd('\n');
    }

    private static string Line(ReadingSigner signer, string factory, string timestamp, string? keyId)
    {
        var line = new ArrayBufferWriter<byte>();
        Envelope.Append(
            line,
            Encoding.UTF8.GetBytes($$"""{"factory_id": "{{factory}}", "engine_id": "e", "timestamp": "{{timestamp}}", "rpm": 1}"""),
            signer,
            SaltLength.Digest
        );
        var text = Encoding.UTF8.GetString(line.WrittenSpan).TrimEnd('\n');
        return keyId is null ? text : $"{text[..^1]}, \"key_id\": \"{keyId}\"}}";
    }
}
