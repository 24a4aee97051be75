using FactoryStream.Dashboard.Keys;

namespace FactoryStream.Tests.Dashboard;

public sealed class EnrolledKeyTests
{
    private static readonly DateTime Now = new(2026, 2, 25, 12, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(null, null, null, "valid", "without bounds")]
    [InlineData(-1, 1, null, "valid until 2026-02-26 12:00", "from 2026-02-24 12:00 until 2026-02-26 12:00")]
    [InlineData(1, null, null, "not yet valid, from 2026-02-26 12:00", "from 2026-02-26 12:00")]
    [InlineData(null, 0, null, "expired since 2026-02-25 12:00", "until 2026-02-25 12:00")]
    [InlineData(null, 2, -1, "revoked since 2026-02-24 12:00", "until 2026-02-24 12:00")]
    [InlineData(null, 2, 1, "valid until 2026-02-26 12:00", "until 2026-02-26 12:00")]
    public void A_key_says_in_words_whether_and_when_it_is_valid(int? notBefore, int? notAfter, int? revoked, string state, string validity)
    {
        var key = Key(notBefore, notAfter, revoked);

        Assert.Equal((state, validity), (key.State(Now), key.Validity));
    }

    [Fact]
    public void Bars_stand_on_one_axis_and_what_has_no_bound_goes_to_its_edge()
    {
        EnrolledKey[] keys = [Key(-10, 10, null), Key(null, null, null), Key(0, 10, 5), Key(null, 1_000_000, null), Key(3, 4, 2)];

        var axis = ValidityAxis.Of(keys, Now);

        Assert.Equal((Now.AddDays(-12), Now.AddDays(12)), (axis.Start, axis.End));
        Assert.Equal(50, axis.Position(Now), 6);
        Assert.Equal(
            ["8.3+83.3", "0.0+100.0", "50.0+20.8", "0.0+100.0", "none"],
            keys.Select(key => axis.Bar(key) is { } bar ? FormattableString.Invariant($"{bar.From:F1}+{bar.Width:F1}") : "none")
        );
    }

    private static EnrolledKey Key(int? notBefore, int? notAfter, int? revoked) =>
        new("k1", "f1", 2048, At(notBefore), At(notAfter), Now, At(revoked));

    private static DateTime? At(int? days) => days is { } number ? Now.AddDays(number) : null;
}
