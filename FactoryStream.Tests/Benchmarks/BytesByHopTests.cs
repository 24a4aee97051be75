using FactoryStream.Benchmarks.EndToEnd;

namespace FactoryStream.Tests.Benchmarks;

public sealed class BytesByHopTests
{
    [Fact]
    public void Bytes_are_those_since_the_previous_sample_divided_by_readings()
    {
        var before = new BytesByHop(1_000, 2_000, 10_000, new(100, 50, 10), new(10, 5, 1));
        var after = new BytesByHop(7_000, 10_000, 90_000, new(6_100, 1_050, 20), new(40, 15, 1), new(10, 5, 15));

        Assert.Equal(
            [
                new("bytes, log of readings.signed", 600, "a reading"),
                new("bytes, log of readings.verified", 800, "a reading"),
                new("bytes, WAL", 8_000, "a reading"),
                new("bytes, at rest, readings: rows", 600, "a reading"),
                new("bytes, at rest, readings: indexes", 100, "a reading"),
                new("bytes, at rest, readings: out of line and maps", 1, "a reading"),
                new("bytes, at rest, batches", 3, "a reading"),
                new("bytes, at rest, windows closed so far", 4, "a reading"),
            ],
            after.RowsSince(before, 10)
        );
    }

    [Fact]
    public void A_broker_without_a_log_on_this_machine_has_no_row_for_it()
    {
        var nothing = new BytesByHop(null, null, 0, default, default);

        Assert.DoesNotContain(
            nothing.RowsSince(nothing, 0),
            row => row.Name.Contains("log of", StringComparison.Ordinal) || row.Value != 0
        );
    }

    [Theory]
    [InlineData("/a/b", "num.partitions=12", " log.dirs=/a/b ")]
    [InlineData(null, "log.dirs=/a,/b")]
    [InlineData(null, "num.partitions=12")]
    public void The_log_is_where_the_properties_say(string? expected, params string[] properties) =>
        Assert.Equal(expected, KafkaLogFolder.Named(properties));

    [Fact]
    public void A_topic_is_its_segments_and_not_its_indexes_nor_a_topic_of_a_longer_name()
    {
        using var folder = new TemporaryFolder();
        Write("readings.signed-0/00.log", 5);
        Write("readings.signed-0/17.log", 6);
        Write("readings.signed-0/00.index", 1000);
        Write("readings.signed-11/00.log", 70);
        Write("readings.signed-old-0/00.log", 1000);
        Write("readings.verified-0/00.log", 1000);

        Assert.Equal(81, KafkaLogFolder.Bytes(folder.Path, "readings.signed"));

        void Write(string file, int length)
        {
            var path = Path.Combine(folder.Path, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, new byte[length]);
        }
    }
}
