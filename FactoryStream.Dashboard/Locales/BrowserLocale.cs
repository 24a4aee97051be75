using System.Globalization;

namespace FactoryStream.Dashboard.Locales;

/// <summary>
/// How the person at the browser writes times and numbers: the browser tells its time zone and its separators by a cookie
/// (<c>wwwroot/locale.js</c>). They flow with the request and with the live page's connection as <see cref="CultureInfo.CurrentCulture"/>
/// does; numbers are in that culture. Without the cookie times are UTC and numbers as in English.
/// </summary>
internal static class BrowserLocale
{
    /// <summary>Sample: <c>Europe/Berlin~,~.</c>: time zone, decimal separator, group separator; URL-encoded.</summary>
    public const string CookieName = "factorystream-locale";

    private static readonly AsyncLocal<TimeZoneInfo?> AmbientZone = new();

    private static TimeZoneInfo Zone => AmbientZone.Value ?? TimeZoneInfo.Utc;

    /// <summary>Times and numbers of what stands behind it are written as the browser does.</summary>
    public static void UseBrowserLocale(this WebApplication app) =>
        app.Use(
            (context, next) =>
            {
                if (context.Request.Cookies.TryGetValue(CookieName, out var cookie))
                    Take(cookie);
                return next(context);
            }
        );

    /// <summary>Takes a cookie's value for the present flow; what makes no sense in it is passed over.</summary>
    public static void Take(string cookie)
    {
        var parts = cookie.Split('~');
        if (TimeZoneInfo.TryFindSystemTimeZoneById(parts[0], out var zone))
            AmbientZone.Value = zone;
        if (parts is not [_, { Length: 1 } point, { Length: <= 1 } group] || point == group || char.IsAsciiLetterOrDigit(point[0]))
            return;
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator) = (point, group);
        CultureInfo.CurrentCulture = culture;
    }

    /// <summary>The time of the browser's zone.</summary>
    /// <param name="utc">UTC.</param>
    public static DateTime Local(DateTime utc) => TimeZoneInfo.ConvertTimeFromUtc(DateTime.SpecifyKind(utc, DateTimeKind.Utc), Zone);

    /// <summary>UTC of a time of the browser's zone. One that a clock leaves out is the one an hour later, as a clock shows it.</summary>
    /// <param name="local">As a person writes it.</param>
    public static DateTime Utc(DateTime local)
    {
        var written = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        return Zone.IsInvalidTime(written)
            ? DateTime.SpecifyKind(written - Zone.GetUtcOffset(written), DateTimeKind.Utc)
            : TimeZoneInfo.ConvertTimeToUtc(written, Zone);
    }

    /// <summary>What a date picker shows of a time; null: nothing.</summary>
    public static DateTime? Local(DateTime? utc) => utc is { } time ? Local(time) : null;

    /// <summary>What a person chose in a date picker; null: nothing.</summary>
    public static DateTime? Utc(DateTime? local) => local is { } time ? Utc(time) : null;

    /// <summary>As <c>2026-02-25 06:13</c>, in the browser's zone.</summary>
    public static string Minute(DateTime utc) => Format(utc, "yyyy-MM-dd HH:mm");

    /// <summary>As <c>2026-02-25 06:13:20</c>, in the browser's zone.</summary>
    public static string Second(DateTime utc) => Format(utc, "yyyy-MM-dd HH:mm:ss");

    /// <summary>As <c>2026-02-25 06:13:20.123</c>, in the browser's zone.</summary>
    public static string Millisecond(DateTime utc) => Format(utc, "yyyy-MM-dd HH:mm:ss.fff");

    /// <summary>In the browser's zone.</summary>
    /// <param name="utc">UTC.</param>
    /// <param name="format">A format of .NET's.</param>
    public static string Format(DateTime utc, string format) => Local(utc).ToString(format, CultureInfo.InvariantCulture);

    /// <summary>As <c>2026-02-25 06:13:20.123 UTC</c>.</summary>
    public static string UtcText(DateTime utc) => utc.ToString("yyyy-MM-dd HH:mm:ss.fff' UTC'", CultureInfo.InvariantCulture);

    /// <summary>A whole number, with the browser's group separator.</summary>
    public static string Number(long value) => value.ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>A number with at most so many digits behind the browser's decimal separator as the format has.</summary>
    /// <param name="value">Any number.</param>
    /// <param name="format">A format of .NET's, as <c>#,0.###</c>.</param>
    public static string Number(double value, string format) => value.ToString(format, CultureInfo.CurrentCulture);
}
