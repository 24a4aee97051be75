using System.CommandLine;
using System.Globalization;
using System.Text;
using FactoryStream.Contracts;
using FactoryStream.Simulator;
using FactoryStream.Simulator.Commands;

namespace FactoryStream.Benchmarks.Load;

/// <summary>The options that say what a corpus holds; <c>load</c> and <c>sign</c> share them.</summary>
internal sealed class CorpusOptions
{
    // With a rate, a factory's POST collects at most this long: it stays a live load however slow it is.
    private const double LongestCollectionSeconds = 0.25;

    /// <summary>Readings a second that are signed for a load flat out when no other number is given.</summary>
    public const int FlatOutReadingsPerSecond = 20_000;

    // A POST of about so many readings costs little for itself, and is nothing to wait for.
    private const int ReadingsPerPost = 100,
        BatchedReadingsPerPost = 1_000;

    public Option<double> Rate { get; } =
        new Option<double>("--rate")
        {
            Description = "Readings a second of all engines together; 0: flat out",
            HelpName = "N",
            DefaultValueFactory = _ => 0,
        }.Bounded(0, 10_000_000);

    public Option<double> Seconds { get; } =
        new Option<double>("--seconds")
        {
            Description = "How long to send",
            HelpName = "S",
            DefaultValueFactory = _ => 60,
        }.Bounded(0.1, 86_400);

    public Option<long?> Readings { get; } =
        new Option<long?>("--readings")
        {
            Description = $"Readings to sign [default: rate x seconds; flat out {FlatOutReadingsPerSecond} x seconds]",
            HelpName = "N",
        }.Bounded(1, long.MaxValue);

    public Option<int> Factories { get; } =
        new Option<int>("--factories")
        {
            Description = "Factories",
            HelpName = "N",
            DefaultValueFactory = _ => 10,
        }.Bounded(1, 9_999);

    public Option<int> Engines { get; } =
        new Option<int>("--engines")
        {
            Description = "Engines of each factory",
            HelpName = "N",
            DefaultValueFactory = _ => 6,
        }.Bounded(1, 100_000);

    public Option<string> Prefix { get; } =
        new("--factory-prefix")
        {
            Description = "Factories are named PREFIX_001, PREFIX_002, ...",
            HelpName = "PREFIX",
            DefaultValueFactory = _ => "load",
        };

    public Option<int> Batch { get; } =
        new Option<int>("--batch")
        {
            Description = "Readings a signature: more than one are signed together, as a batch of one engine's",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        }.Bounded(1, ReadingParser.MaxBatchReadings);

    public Option<bool> Mixed { get; } = new("--mixed") { Description = "A batch is of all engines of its factory in turn" };

    public Option<int?> Lines { get; } =
        new Option<int?>("--lines")
        {
            Description =
                $"Envelopes of a POST, all of one factory [default: {ReadingsPerPost}, or batches of {BatchedReadingsPerPost} "
                + "readings; a quarter second's if that is less]",
            HelpName = "N",
        }.Bounded(1, 10_000);

    public Option<string> Salt { get; } = SharedOptions.Salt();

    public Option<string?> Start { get; } =
        new("--start")
        {
            Description =
                "The earliest reading's time: 'past' (the last one is of the moment that signing begins at), 'live' (each reading "
                + "is sent at its own time; signing must be done by then, and a start is chosen that allows for it), "
                + "or yyyy-MM-dd HH:mm:ss UTC [default: live with a rate, else past]",
            HelpName = "TIME",
        };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[Rate, Seconds, Readings, Factories, Engines, Prefix, Batch, Mixed, Lines, Salt, Start])
            command.Add(option);
    }

    /// <summary>What the options ask for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="now">The present, UTC.</param>
    /// <param name="signingRate">Readings a second that this machine signs; asked only for a live start.</param>
    public CorpusPlan Plan(ParseResult parsed, DateTime now, Func<double> signingRate)
    {
        var (rate, seconds, factories) = (parsed.GetValue(Rate), parsed.GetValue(Seconds), parsed.GetValue(Factories));
        var readings = parsed.GetValue(Readings) ?? (long)Math.Max(1, Math.Round((rate > 0 ? rate : FlatOutReadingsPerSecond) * seconds));
        var batch = parsed.GetValue(Batch);
        var most = batch == 1 ? ReadingsPerPost : Math.Max(1, BatchedReadingsPerPost / batch);
        var lines =
            parsed.GetValue(Lines)
            ?? (rate > 0 ? (int)Math.Clamp(Math.Ceiling(rate * LongestCollectionSeconds / factories / batch), 1, most) : most);
        // Flat out, event time still goes as fast as the clock does when the readings last for the seconds asked.
        var eventRate = rate > 0 ? rate : Math.Max(readings / seconds, 1e-3);
        var plan = new CorpusPlan(
            readings,
            factories,
            parsed.GetValue(Engines),
            parsed.GetValue(Prefix)!,
            lines * batch,
            eventRate,
            now,
            SharedOptions.SaltOf(parsed, Salt),
            batch,
            parsed.GetValue(Mixed)
        );
        return plan with { Start = StartOf(parsed.GetValue(Start) ?? (rate > 0 ? "live" : "past"), plan, now, signingRate) };
    }

    private static DateTime StartOf(string start, CorpusPlan plan, DateTime now, Func<double> signingRate)
    {
        var time = start switch
        {
            "past" => now - plan.Span,
            // A quarter more than measured, and two seconds to begin with.
            "live" => now.AddSeconds(2 + 1.25 * plan.Readings / plan.PerSignature / signingRate()),
            _ => Timestamps.TryParse(Encoding.UTF8.GetBytes(start), out var instant, out var expected)
                ? instant
                : throw new UsageException(
                    $"--start: expected {expected}, 'past' or 'live', found '{start}'; e.g. "
                        + $"{now.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}."
                ),
        };
        return new DateTime(time.Ticks - time.Ticks % TimeSpan.TicksPerMillisecond, DateTimeKind.Utc);
    }
}
