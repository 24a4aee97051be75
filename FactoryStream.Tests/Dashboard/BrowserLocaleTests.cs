using System.Globalization;
using FactoryStream.Dashboard.Locales;

namespace FactoryStream.Tests.Dashboard;

public sealed class BrowserLocaleTests
{
    private static readonly DateTime Summer = new(2026, 7, 1, 12, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("Europe/Berlin~,~.", "2026-07-01 14:00", "1.234.567", "0,5")]
    [InlineData("Asia/Kolkata~.~", "2026-07-01 17:30", "1234567", "0.5")]
    [InlineData("Nowhere/Land~,~ ", "2026-07-01 12:00", "1 234 567", "0,5")]
    [InlineData("UTC", "2026-07-01 12:00", "1,234,567", "0.5")]
    [InlineData("Europe/Berlin~1~2", "2026-07-01 14:00", "1,234,567", "0.5")]
    [InlineData("~~", "2026-07-01 12:00", "1,234,567", "0.5")]
    [InlineData("", "2026-07-01 12:00", "1,234,567", "0.5")]
    public async Task What_makes_sense_in_the_cookie_is_taken(string cookie, string time, string whole, string half)
    {
        // A flow of its own: what is taken in it ends with it.
        var written = await Task.Run(() =>
        {
            BrowserLocale.Take(cookie);
            return (BrowserLocale.Minute(Summer), BrowserLocale.Number(1_234_567), BrowserLocale.Number(0.5, "#,0.###"));
        });

        Assert.Equal((time, whole, half), written);
        Assert.Equal("2026-07-01 12:00", BrowserLocale.Minute(Summer));
    }

    [Theory]
    [InlineData("2026-07-01 14:00", "2026-07-01 12:00")]
    // Left out in spring: 02:30 is shown as 03:30.
    [InlineData("2026-03-29 02:30", "2026-03-29 01:30")]
    // Twice in autumn: the second one, of standard time.
    [InlineData("2026-10-25 02:30", "2026-10-25 01:30")]
    public async Task What_a_person_writes_is_a_time_of_the_zone(string local, string utc)
    {
        var understood = await Task.Run(() =>
        {
            BrowserLocale.Take("Europe/Berlin~,~.");
            return BrowserLocale.Utc(DateTime.Parse(local, CultureInfo.InvariantCulture));
        });

        Assert.Equal(
            (
                DateTime.Parse(utc, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal),
                DateTimeKind.Utc
            ),
            (understood, understood.Kind)
        );
    }
}
