using System.Globalization;

namespace FactoryStream.Dashboard.Plant;

/// <summary>How long ago a moment was, as people say it: <c>12 s ago</c>, <c>3 min ago</c>, <c>5 h ago</c>, <c>8 days ago</c>.</summary>
internal static class Age
{
    public static string Of(DateTime moment, DateTime now) =>
        (now - moment) switch
        {
            // A machine's clock may run a little ahead.
            { TotalSeconds: < 1 } => "just now",
            { TotalMinutes: < 2 } age => Say(age.TotalSeconds, "s"),
            { TotalHours: < 2 } age => Say(age.TotalMinutes, "min"),
            { TotalDays: < 2 } age => Say(age.TotalHours, "h"),
            var age => Say(age.TotalDays, "days"),
        };

    private static string Say(double number, string unit) =>
        string.Create(CultureInfo.CurrentCulture, $"{Math.Floor(number):N0} {unit} ago");
}
