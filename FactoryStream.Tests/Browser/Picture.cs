using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>
/// The documentation's pictures are taken by the tests that look at the pages:
/// <c>FACTORYSTREAM_PICTURES=docs/images dotnet test --filter "FullyQualifiedName~Browser"</c>. Otherwise nothing is written.
/// </summary>
internal static class Picture
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("FACTORYSTREAM_PICTURES");

    public static async Task TakeAsync(IPage page, string name)
    {
        if (Folder is { Length: > 0 })
            await page.ScreenshotAsync(new() { Path = Path.Combine(SharedData.Root, Folder, $"{name}.png") });
    }

    /// <summary>In light, and in dark as <c>NAME-dark.png</c>.</summary>
    public static async Task TakeBothAsync(IPage page, string name)
    {
        await TakeAsync(page, name);
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await TakeAsync(page, $"{name}-dark");
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
    }
}
