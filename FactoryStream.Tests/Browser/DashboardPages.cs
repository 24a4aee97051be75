namespace FactoryStream.Tests.Browser;

/// <summary>The Dashboard's pages, by their paths.</summary>
internal static class DashboardPages
{
    public static readonly IReadOnlyList<string> All =
    [
        "",
        "engines",
        "engines/factory_a/e1",
        "pipeline",
        "reconciliation",
        "rejections",
        "alerts",
        "alerts/rules",
        "alerts/webhooks",
        "keys",
        "units",
        "kiosk",
        "sign-in",
    ];
}
