using Microsoft.Playwright;

namespace FactoryStream.Tests.Browser;

/// <summary>The machine's own Chromium, without a window; <see cref="Missing"/> where there is none.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>Why there is no browser; null when there is one.</summary>
    public string? Missing { get; private set; }

    public async Task InitializeAsync()
    {
        if (Array.Find(Places, File.Exists) is not { } executable)
        {
            Missing = $"no Chromium on this machine ({string.Join(", ", Places)})";
            return;
        }
        playwright = await Playwright.CreateAsync();
        // A machine that runs all tests at once is slow to draw.
        Assertions.SetDefaultExpectTimeout(30_000);
        string[] sandbox = Environment.IsPrivilegedProcess ? ["--no-sandbox"] : [];
        browser = await playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = executable,
                Args = [.. sandbox, "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
            }
        );
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
    }

    /// <summary>An empty page in a browser of its own memory; skips the test where there is no browser.</summary>
    /// <param name="scheme">Light or dark.</param>
    /// <param name="timeZone">The browser's.</param>
    /// <param name="locale">The browser's language.</param>
    public async Task<IPage> NewPageAsync(ColorScheme scheme = ColorScheme.Light, string timeZone = "UTC", string locale = "en-US")
    {
        Skip.If(Missing is not null, Missing);
        var context = await browser!.NewContextAsync(
            new()
            {
                ColorScheme = scheme,
                TimezoneId = timeZone,
                Locale = locale,
                ViewportSize = new() { Width = 1440, Height = 1100 },
            }
        );
        context.SetDefaultTimeout(30_000);
        return await context.NewPageAsync();
    }
}
