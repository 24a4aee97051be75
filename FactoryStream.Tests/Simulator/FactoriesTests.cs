using System.Buffers;
using System.Text;
using System.Text.Json;
using FactoryStream.Contracts;
using FactoryStream.Signatures;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Factories;

namespace FactoryStream.Tests.Simulator;

public sealed class FactoriesTests
{
    [SkippableFact]
    public void Keys_are_for_their_owner_alone()
    {
        Skip.If(OperatingSystem.IsWindows(), "Unix modes");
        using var temporary = new TemporaryFolder();
        var folder = new KeyFolder(Path.Combine(temporary.Path, "deep", "keys"));

        folder.GetOrCreate("factory_001").Dispose();

        var file = Path.Combine(folder.Path, "factory_001.pem");
        Assert.Equal([file], Directory.GetFiles(folder.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.Path));
    }

    [SkippableFact]
    public void A_key_that_others_can_read_is_not_used()
    {
        Skip.If(OperatingSystem.IsWindows(), "Unix modes");
        using var temporary = new TemporaryFolder();
        var folder = new KeyFolder(temporary.Path);
        folder.GetOrCreate("f").Dispose();
        var file = Path.Combine(folder.Path, "f.pem");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        var exception = Assert.Throws<UsageException>(() => folder.GetOrCreate("f"));

        Assert.Contains("chmod 600", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_factory_keeps_its_key_and_callers_at_once_get_the_same()
    {
        using var temporary = new TemporaryFolder();
        var keys = new string[6];

        Parallel.For(
            0,
            keys.Length,
            i =>
            {
                using var signer = new KeyFolder(temporary.Path).GetOrCreate("../a factory/ß");
                keys[i] = signer.ExportPublicKeyPem();
            }
        );

        Assert.Single(keys.Distinct());
        Assert.Single(Directory.GetFiles(temporary.Path));
        using var other = new KeyFolder(temporary.Path).GetOrCreate("another");
        Assert.NotEqual(keys[0], other.ExportPublicKeyPem());
    }

    [Fact]
    public void A_file_that_is_no_key_is_named()
    {
        using var temporary = new TemporaryFolder();
        var file = Path.Combine(temporary.Path, "f.pem");
        File.WriteAllText(file, "nothing");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var exception = Assert.Throws<UsageException>(() => new KeyFolder(temporary.Path).GetOrCreate("f"));

        Assert.StartsWith($"{file} holds no RSA private key", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_engine_measures_the_seven_metrics_about_their_means()
    {
        var expected = new Dictionary<string, (double Mean, double Most)>
        {
            ["temp_air"] = (100, 1.5),
            ["temp_oil"] = (90, 1.5),
            ["temp_exhaust"] = (760, 1.5),
            ["vibration"] = (2.5, 0.8),
            ["pressure_1"] = (150, 1.5),
            ["pressure_2"] = (149, 1.5),
            ["rpm"] = (3000, 1.5),
        };
        var engine = new EngineModel("factory_001", 1);
        var noise = new Random(7);
        var start = new DateTime(2026, 2, 25, 6, 0, 0, DateTimeKind.Utc);
        var values = expected.Keys.ToDictionary(name => name, _ => new List<double>());
        var data = new byte[EngineModel.MaxReadingBytes];

        for (var second = 0; second < 3600; second++)
        {
            using var reading = JsonDocument.Parse(data.AsMemory(0, engine.Measure(start.AddSeconds(second), noise, data)));
            Assert.Equal(
                ["factory_id", "engine_id", "timestamp", .. expected.Keys],
                reading.RootElement.EnumerateObject().Select(member => member.Name)
            );
            foreach (var name in expected.Keys)
                values[name].Add(reading.RootElement.GetProperty(name).GetDouble());
        }

        foreach (var (name, (mean, most)) in expected)
        {
            Assert.InRange(values[name].Average(), mean - 0.1, mean + 0.1);
            var deviation = Math.Sqrt(values[name].Average(value => (value - mean) * (value - mean)));
            Assert.InRange(deviation, 0.3, most);
        }
        Assert.All(values["rpm"], value => Assert.Equal(Math.Round(value), value));
    }

    [Fact]
    public void Times_are_in_milliseconds_and_finer_only_where_they_must_be()
    {
        var data = new byte[EngineModel.MaxReadingBytes];
        var engine = new EngineModel("f \"1\"", 12);
        var time = new DateTime(2026, 2, 25, 6, 13, 20, 125, DateTimeKind.Utc);

        Assert.StartsWith(
            "{\"factory_id\": \"f \\\"1\\\"\", \"engine_id\": \"engine_012\", \"timestamp\": \"2026-02-25 06:13:20.125\", \"temp_air\": ",
            Text(time),
            StringComparison.Ordinal
        );
        Assert.Contains("\"2026-02-25 06:13:20.125030\"", Text(time.AddMicroseconds(30)), StringComparison.Ordinal);

        string Text(DateTime at) => Encoding.UTF8.GetString(data, 0, engine.Measure(at, new Random(1), data));
    }

    [Theory, InlineData(SaltLength.Digest), InlineData(SaltLength.Maximum)]
    public void A_signed_line_is_an_envelope_of_the_exact_bytes(SaltLength salt)
    {
        using var signer = ReadingSigner.Create();
        var data = """{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "rpm":  3001.50}"""u8.ToArray();
        var line = new ArrayBufferWriter<byte>();

        Envelope.Append(line, data, signer, salt);

        Assert.Equal((byte)'\n', line.WrittenSpan[^1]);
        Assert.Equal(Verdict.Accepted, new ReadingParser().TryParse(line.WrittenMemory, out var reading, out _));
        Assert.Equal(data, reading.Data.ToArray());
        Assert.True(RsaPublicKey.TryParsePem(signer.ExportPublicKeyPem(), out var key, out _));
        using var verifier = new SignatureVerifier();
        var results = new bool[1];
        verifier.Verify(
            [new SignatureCheck(key, reading.Data, Convert.FromBase64String(Encoding.ASCII.GetString(reading.Signature.Span)))],
            results
        );
        Assert.True(results[0]);
    }
}
