using FactoryStream.Aggregator.Windowing;
using FactoryStream.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace FactoryStream.Tests.Aggregator;

/// <summary>The invariants of FactoryStream.Aggregator/Windowing/README.md, against a model that knows only how to group.</summary>
public sealed class WindowingTests
{
    private const long Second = TimeSpan.TicksPerSecond;
    private static readonly long Start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;
    private static readonly WindowingRules Rules = new(10 * Second, 2 * Second, 10 * Second);

    /// <summary>A reading of one of three engines in the first minute; equal ones are the same bytes.</summary>
    private sealed record Sample(int Engine, int Tenths, int Value)
    {
        public long Ticks => Start + Tenths * (Second / 10);

        public UInt128 Identity => new((ulong)Engine, (ulong)(Tenths * 1000 + Value));

        // Some bring more names than a short list is looked through for, and in another order.
        public Metric[] Metrics =>
            (Value % 5) switch
            {
                0 => [new("a", Value)],
                1 => [new("a", Value), .. Enumerable.Range(1, 30).Select(number => new Metric($"m{number * (Value + 1) % 31}", number))],
                _ => [new("a", Value), new("b", -Value)],
            };
    }

    private static Arbitrary<Sample[]> Samples { get; } =
        (
            from engine in Gen.Choose(0, 2)
            from tenths in Gen.Choose(0, 600)
            from value in Gen.Choose(0, 20)
            select new Sample(engine, tenths, value)
        )
            .ArrayOf()
            .ToArbitrary();

    /// <summary>The shell's part, in memory: what is stored, and the closed rows that late readings are merged into.</summary>
    private sealed class Store
    {
        private readonly Dictionary<int, EngineWindows> engines = [];
        private readonly HashSet<Sample> stored = [];

        public Dictionary<(int Engine, long Start, string Metric), MetricTotals> Rows { get; } = [];

        public int Duplicates { get; private set; }

        public void Take(IEnumerable<Sample> batch)
        {
            var closing = new List<ClosedWindow>();
            var closed = new List<(int Engine, ClosedWindow Window)>();
            foreach (var sample in batch)
            {
                var engine = Engine(sample.Engine);
                var arrival = engine.Add(Rules, sample.Ticks, sample.Identity, sample.Metrics, closing);
                closed.AddRange(closing.Select(window => (sample.Engine, window)));
                closing.Clear();
                switch (arrival)
                {
                    case Arrival.New:
                        Assert.True(stored.Add(sample));
                        break;
                    case Arrival.Duplicate:
                        Assert.Contains(sample, stored);
                        Duplicates++;
                        break;
                    case Arrival.Late when !stored.Add(sample):
                        Duplicates++;
                        break;
                    case Arrival.Late:
                        // Windows of this batch are written before late readings are merged into them.
                        Write(closed);
                        foreach (var metric in sample.Metrics)
                            Merge(sample.Engine, Rules.StartOf(sample.Ticks), MetricTotals.Of(metric.Name, metric.Value));
                        break;
                }
            }
            Write(closed);
        }

        /// <summary>A crash: the state is gone, and built again from what is stored and how far it is closed.</summary>
        public void Restart()
        {
            var closedUntil = engines.ToDictionary(engine => engine.Key, engine => Rules.StartOf(engine.Value.Watermark.Ticks));
            engines.Clear();
            var closed = new List<ClosedWindow>();
            foreach (var (number, until) in closedUntil)
            {
                Engine(number).RaiseWatermark(until);
                foreach (var sample in stored.Where(sample => sample.Engine == number && sample.Ticks >= until))
                    Engine(number).Add(Rules, sample.Ticks, sample.Identity, sample.Metrics, closed);
            }
            Assert.Empty(closed);
        }

        public void Silence()
        {
            var closed = new List<ClosedWindow>();
            foreach (var (number, engine) in engines)
            {
                engine.CloseIdle(Rules, Start + 3600 * Second, lastArrival: 0, closed);
                Write([.. closed.Select(window => (number, window))]);
                closed.Clear();
            }
        }

        private EngineWindows Engine(int number)
        {
            if (!engines.TryGetValue(number, out var engine))
                engines.Add(number, engine = new EngineWindows());
            return engine;
        }

        private void Write(List<(int Engine, ClosedWindow Window)> closed)
        {
            foreach (var (engine, window) in closed)
            {
                foreach (var totals in window.Totals)
                    Merge(engine, window.Start, totals);
            }
            closed.Clear();
        }

        private void Merge(int engine, long start, in MetricTotals totals)
        {
            // As the database has them: without the running mean.
            var row = new MetricTotals(totals.Metric, totals.Count, totals.Sum, totals.Min, totals.Max, totals.SquaredDeviation);
            var key = (engine, start, totals.Metric);
            Rows[key] = Rows.TryGetValue(key, out var stored) ? stored.With(row) : row;
        }
    }

    /// <summary>Group the distinct readings by engine, window and metric: nothing more.</summary>
    private static Dictionary<(int, long, string), (long, double, double, double, double)> Naive(IEnumerable<Sample> samples) =>
        samples
            .Distinct()
            .SelectMany(sample =>
                sample.Metrics.Select(metric => (Key: (sample.Engine, Rules.StartOf(sample.Ticks), metric.Name), metric.Value))
            )
            .GroupBy(entry => entry.Key, entry => entry.Value)
            .ToDictionary(group => group.Key, group => (group.LongCount(), group.Sum(), group.Min(), group.Max(), Deviation([.. group])));

    private static double Deviation(double[] values)
    {
        var mean = values.Average();
        return values.Sum(value => (value - mean) * (value - mean));
    }

    [Property(MaxTest = 500)]
    public Property Any_order_any_batching_any_duplication_any_restart_gives_the_same_windows() =>
        Prop.ForAll(
            Samples,
            ArbMap.Default.ArbFor<int>(),
            (samples, seed) =>
            {
                var random = new System.Random(seed);
                var sent = samples.Concat(samples.Where(_ => random.Next(3) == 0)).OrderBy(_ => random.Next()).ToArray();
                var store = new Store();
                var i = 0;
                while (i < sent.Length)
                {
                    var size = random.Next(1, 8);
                    store.Take(sent.Skip(i).Take(size));
                    i += size;
                    if (random.Next(4) == 0)
                        store.Restart();
                }
                store.Silence();

                var expected = Naive(samples);
                // Values are whole and small, so that all but the deviation is exact.
                Assert.Equal(expected.Keys.Order(), store.Rows.Keys.Order());
                foreach (var (key, (count, sum, min, max, deviation)) in expected)
                {
                    var row = store.Rows[key];
                    Assert.Equal((count, sum, min, max), (row.Count, row.Sum, row.Min, row.Max));
                    Assert.InRange(row.SquaredDeviation, deviation - 1e-6, deviation + 1e-6);
                }
                Assert.Equal(sent.Length - samples.Distinct().Count(), store.Duplicates);
            }
        );

    [Property(MaxTest = 300)]
    public Property Totals_are_those_of_all_values_at_once() =>
        Prop.ForAll(
            Gen.Choose(-1_000_000, 1_000_000).Select(value => value / 1000.0).NonEmptyListOf().ToArbitrary(),
            values =>
            {
                var totals = MetricTotals.Of("a", values[0]);
                foreach (var value in values.Skip(1))
                    totals.Add(value);
                var mean = values.Average();
                var deviation = values.Sum(value => (value - mean) * (value - mean));
                return totals.Count == values.Count
                    && totals.Min == values.Min()
                    && totals.Max == values.Max()
                    && Math.Abs(totals.Sum - values.Sum()) <= 1e-9 * values.Sum(Math.Abs)
                    && Math.Abs(totals.SquaredDeviation - deviation) <= 1e-9 * Math.Max(1, deviation);
            }
        );

    [Property(MaxTest = 300)]
    public void A_name_is_found_where_it_was_added_whatever_place_is_guessed(NonEmptyArray<byte> numbers, byte likely)
    {
        var index = new NameIndex();
        var names = numbers.Get.Select(number => $"m{number}").Distinct().ToList();
        foreach (var name in names)
        {
            Assert.Equal(-1, index.IndexOf(name, likely));
            index.Add(name);
        }
        Assert.Equal(names.Count, index.Count);
        Assert.Equal(Enumerable.Range(0, names.Count), names.Select(name => index.IndexOf(name, likely)));
    }

    [Property]
    public Property Watermark_never_moves_back() =>
        Prop.ForAll(
            Samples,
            samples =>
            {
                var engine = new EngineWindows();
                var before = engine.Watermark.Ticks;
                foreach (var sample in samples)
                {
                    engine.Add(Rules, sample.Ticks, sample.Identity, sample.Metrics, []);
                    Assert.True(engine.Watermark.Ticks >= before);
                    before = engine.Watermark.Ticks;
                }
            }
        );

    [Fact]
    public void A_window_closes_when_its_engines_newest_less_the_lateness_reaches_its_end()
    {
        var engine = new EngineWindows();
        var closed = new List<ClosedWindow>();

        Assert.Equal(Arrival.New, Add(0));
        Assert.Equal(Arrival.New, Add(11.9));
        Assert.Empty(closed);
        Assert.Equal(Arrival.New, Add(9.9));
        Assert.Equal(Arrival.New, Add(12));
        Assert.Equal([Start], closed.Select(window => window.Start));
        Assert.Equal(2, closed[0].Totals[0].Count);
        Assert.Equal(Arrival.Late, Add(9.8));
        Assert.Equal(Arrival.Duplicate, Add(12));

        Arrival Add(double second) =>
            engine.Add(Rules, Start + (long)(second * Second), (UInt128)(second * 10), [new Metric("a", second)], closed);
    }

    [Fact]
    public void An_idle_engines_windows_close_by_the_clock_and_its_buffer_of_an_hour_is_not_late()
    {
        var engine = new EngineWindows();
        var closed = new List<ClosedWindow>();
        engine.Add(Rules, Start + 5 * Second, 1, [new Metric("a", 1)], closed);

        var lastArrival = Start + 5 * Second;
        engine.CloseIdle(Rules, Start + 14 * Second, lastArrival, closed);
        Assert.Empty(closed);
        engine.CloseIdle(Rules, Start + 19 * Second, lastArrival, closed);
        Assert.Empty(closed);
        engine.CloseIdle(Rules, Start + 20 * Second, lastArrival, closed);
        Assert.Equal([Start], closed.Select(window => window.Start));
        engine.CloseIdle(Rules, Start + 3600 * Second, lastArrival, closed);

        // An hour later it sends what it kept: only the window that was closed half-way is corrected.
        Assert.Equal(Arrival.Late, engine.Add(Rules, Start + 6 * Second, 2, [new Metric("a", 1)], closed));
        Assert.Equal(Arrival.New, engine.Add(Rules, Start + 10 * Second, 3, [new Metric("a", 1)], closed));
        Assert.Equal(Arrival.New, engine.Add(Rules, Start + 3599 * Second, 4, [new Metric("a", 1)], closed));
    }

    [Fact]
    public void A_reading_without_metrics_closes_windows_and_makes_no_row()
    {
        var engine = new EngineWindows();
        var closed = new List<ClosedWindow>();
        engine.Add(Rules, Start, 1, [], closed);
        engine.Add(Rules, Start + 12 * Second, 2, [], closed);
        Assert.Empty(Assert.Single(closed).Totals);
    }

    [Fact]
    public void Windows_are_aligned_to_the_epoch()
    {
        Assert.Equal(DateTime.UnixEpoch.Ticks, Rules.StartOf(DateTime.UnixEpoch.Ticks + 10 * Second - 1));
        Assert.Equal(DateTime.UnixEpoch.Ticks + 10 * Second, Rules.StartOf(DateTime.UnixEpoch.Ticks + 10 * Second));
    }
}
