using FactoryStream.Dashboard.Live;
using FactoryStream.Dashboard.Plant;
using FactoryStream.Storage;

namespace FactoryStream.Tests.Dashboard;

public sealed class EngineStatesTests
{
    private static readonly Dictionary<int, AlertSeverity> NoAlerts = [];

    private static readonly DateTime Written = new(2026, 2, 25, 6, 13, 32, DateTimeKind.Utc);

    [Theory]
    [InlineData(0, nameof(EngineState.Normal))]
    [InlineData(30, nameof(EngineState.Normal))]
    [InlineData(31, nameof(EngineState.Silent))]
    [InlineData(86_400, nameof(EngineState.Silent))]
    // The database's clock may run ahead.
    [InlineData(-5, nameof(EngineState.Normal))]
    public void An_engine_is_silent_when_no_window_was_written_for_more_than_three(int seconds, string state) =>
        Assert.Equal(state, EngineStates.Of(Engine("a", "e1"), Written.AddSeconds(seconds)).ToString());

    [Fact]
    public void A_replay_of_old_readings_is_not_silent_while_its_windows_are_written() =>
        Assert.Equal(EngineState.Normal, EngineStates.Of(Engine("a", "e1") with { UpdatedAt = Written.AddYears(5) }, Written.AddYears(5)));

    [Theory]
    [InlineData(AlertSeverity.Warning, nameof(EngineState.Warning))]
    [InlineData(AlertSeverity.Alarm, nameof(EngineState.Alarm))]
    public void A_raised_alert_is_the_state_of_an_engine_silent_or_not_and_silence_still_sends_nothing(AlertSeverity severity, string state)
    {
        var silent = Engine("a", "e1") with { EngineNo = 7, UpdatedAt = Written.AddMinutes(-5) };
        var alerts = new Dictionary<int, AlertSeverity> { [7] = severity };

        var view = PlantView.Of([silent, Engine("a", "e2")], alerts, new Dictionary<string, long>(), PlantFilter.None, Written);

        Assert.Equal([state, "Normal"], view.Rows[0].Tiles.Select(tile => tile.State.ToString()));
        Assert.Equal(1, view.ReadingsPerSecond);
    }

    [Fact]
    public void Every_state_has_a_word_and_a_symbol_of_its_own()
    {
        Assert.NotEmpty(EngineStates.All);
        Assert.Equal(EngineStates.All.Count, EngineStates.All.Select(EngineStates.Word).Distinct().Count());
        Assert.Equal(EngineStates.All.Count, EngineStates.All.Select(EngineStates.Symbol).Distinct().Count());
    }

    [Fact]
    public void A_view_counts_all_engines_and_shows_those_that_the_filter_lets_through()
    {
        var silent = Engine("a", "e2") with { UpdatedAt = Written.AddMinutes(-5) };
        var rejections = new Dictionary<string, long> { ["b"] = 7 };

        var view = PlantView.Of(
            [Engine("a", "e1"), silent, Engine("b", "e1")],
            NoAlerts,
            rejections,
            new("E1", EngineState.Normal, OnlyRejecting: true),
            Written
        );

        Assert.Equal((2, 1, 1), (view.Count(EngineState.Normal), view.Count(EngineState.Silent), view.RejectingFactories));
        // Two that are not silent, each with ten readings in its ten seconds.
        Assert.Equal(2, view.ReadingsPerSecond);
        var row = Assert.Single(view.Rows);
        Assert.Equal(("b", true, 7), (row.FactoryId, row.IsFirst, row.Rejections));
        Assert.Equal("e1", Assert.Single(row.Tiles).Engine.EngineId);
    }

    [Fact]
    public void A_row_has_at_most_six_engines_and_the_first_of_a_factory_its_name()
    {
        EngineWindow[] engines = [.. Enumerable.Range(1, 7).Select(n => Engine("a", $"e{n}")), Engine("b", "e1")];

        var view = PlantView.Of(engines, NoAlerts, new Dictionary<string, long>(), PlantFilter.None, Written);

        Assert.Equal(
            [("a", true, 6), ("a", false, 1), ("b", true, 1)],
            view.Rows.Select(row => (row.FactoryId, row.IsFirst, row.Tiles.Count))
        );
    }

    [Theory]
    [InlineData(-3, "just now")]
    [InlineData(12, "12 s ago")]
    [InlineData(200, "3 min ago")]
    [InlineData(20_000, "5 h ago")]
    [InlineData(700_000, "8 days ago")]
    public void An_age_is_told_as_people_say_it(int seconds, string age) => Assert.Equal(age, Age.Of(Written, Written.AddSeconds(seconds)));

    private static EngineWindow Engine(string factoryId, string engineId) =>
        new(1, factoryId, engineId, Written.AddSeconds(-12), Written.AddSeconds(-2), Written, [new("rpm", 3000, 10, 0)]);
}
