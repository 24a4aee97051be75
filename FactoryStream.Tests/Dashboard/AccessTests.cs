using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using FactoryStream.Dashboard.Access;
using FactoryStream.Tests.Storage;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class AccessTests(PostgresFixture postgres)
{
    private const string KnownProxy = "--Dashboard:Access:KnownProxies:0=127.0.0.1";
    private const string ReadToken = "--Dashboard:Access:ReadToken=the-read-token";
    private const string AdminToken = "--Dashboard:Access:AdminToken=the-admin-token";

    // A host beyond this machine, as a proxy on it tells.
    private const string FarClient = "203.0.113.5";

    [SkippableFact]
    public async Task With_nothing_configured_this_machine_looks_and_a_far_client_is_told_what_to_set()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, KnownProxy);

        Assert.Equal(HttpStatusCode.OK, (await GetAsync(dashboard, "/api/books")).Status);
        foreach (var path in (string[])["/api/books", "/", "/openapi/v1.json", "/ws", "/_blazor", "/api/nothing"])
        {
            var refused = await GetAsync(dashboard, path, forwardedFor: FarClient);
            Assert.Equal((path, HttpStatusCode.Unauthorized), (path, refused.Status));
            Assert.Contains("set Dashboard__Access__ReadToken", refused.Text, StringComparison.Ordinal);
        }
        foreach (var path in (string[])["/health", "/alive", "/app.css", "/favicon.svg"])
            Assert.Equal((path, HttpStatusCode.OK), (path, (await GetAsync(dashboard, path, forwardedFor: FarClient)).Status));
    }

    [SkippableFact]
    public async Task What_a_proxy_that_is_not_known_forwards_is_not_of_this_machine()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres);

        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(dashboard, "/api/books", forwardedFor: FarClient)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(dashboard, "/api/books", forwardedFor: "127.0.0.1")).Status);
    }

    [SkippableFact]
    public async Task With_a_read_token_only_its_holders_look_and_people_are_led_to_sign_in()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, ReadToken, AdminToken, KnownProxy);

        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(dashboard, "/api/books")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(dashboard, "/api/books", token: "another")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(dashboard, "/api/books", token: "the-read-token")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(dashboard, "/api/books", FarClient, "the-read-token")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync(dashboard, "/api/books", FarClient, "the-admin-token")).Status);
        using var page = new HttpRequestMessage(HttpMethod.Get, "/rejections?a=b");
        page.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        using var unfollowed = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = dashboard.Address };
        using var led = await unfollowed.SendAsync(page);
        Assert.Equal(
            (HttpStatusCode.Redirect, "/sign-in?return=%2Frejections%3Fa%3Db"),
            (led.StatusCode, led.Headers.Location?.OriginalString)
        );
    }

    [SkippableFact]
    public async Task A_socket_is_for_holders_of_a_token()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, ReadToken);
        var address = new UriBuilder(dashboard.Address) { Scheme = "ws", Path = "/ws" }.Uri;
        using var patience = new CancellationTokenSource(RunningDashboard.Patience);

        using var stranger = new ClientWebSocket();
        var refused = await Assert.ThrowsAsync<WebSocketException>(() => stranger.ConnectAsync(address, patience.Token));
        Assert.Contains("401", refused.Message, StringComparison.Ordinal);
        using var holder = new ClientWebSocket();
        holder.Options.SetRequestHeader("Authorization", "Bearer the-read-token");
        await holder.ConnectAsync(address, patience.Token);
        var received = await holder.ReceiveAsync(new byte[100], patience.Token);
        Assert.Equal(WebSocketMessageType.Text, received.MessageType);
    }

    [Theory]
    [InlineData("read", "viewer")]
    [InlineData("operate", "viewer", "operator")]
    [InlineData("administer", "viewer", "operator", "admin")]
    public async Task A_role_may_do_what_those_below_it_may(string token, params string[] expected)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.AddAccess();
        await using var app = builder.Build();
        var holder = TokenHolder.Find(Tokens(), token)!;

        var allowed = new List<string>();
        foreach (var policy in (string[])[Roles.Viewer, Roles.Operator, Roles.Admin])
        {
            if ((await app.Services.GetRequiredService<IAuthorizationService>().AuthorizeAsync(holder, null, policy)).Succeeded)
                allowed.Add(policy);
        }

        Assert.Equal(expected, allowed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("READ")]
    [InlineData("read ")]
    public void A_token_that_is_none_of_the_settings_has_no_holder(string token)
    {
        Assert.Null(TokenHolder.Find(Tokens(), token));
        Assert.Null(TokenHolder.Find(new AccessOptions { ReadToken = "" }, ""));
    }

    [Fact]
    public void A_token_that_is_replaced_ends_the_sign_ins_with_it()
    {
        var holder = TokenHolder.Find(Tokens(), "read")!;

        Assert.True(TokenHolder.IsCurrent(Tokens(), holder));
        Assert.False(TokenHolder.IsCurrent(new AccessOptions { ReadToken = "another" }, holder));
        Assert.False(TokenHolder.IsCurrent(new AccessOptions { AdminToken = "read" }, holder));
        var person = Roles.Principal("Ann", Roles.Viewer);
        Assert.True(TokenHolder.IsCurrent(new AccessOptions { Authority = new Uri("https://id.example.com") }, person));
        Assert.False(TokenHolder.IsCurrent(Tokens(), person));
    }

    [Theory]
    [InlineData("/keys?a=b", "/keys?a=b")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("https://evil.example", "/")]
    [InlineData("/a\nb", "/")]
    [InlineData("", "/")]
    [InlineData(null, "/")]
    public void A_sign_in_leads_back_into_the_Dashboard_alone(string? asked, string followed) =>
        Assert.Equal(followed, ReturnPath.Of(asked));

    private static AccessOptions Tokens() =>
        new()
        {
            ReadToken = "read",
            OperatorToken = "operate",
            AdminToken = "administer",
        };

    private static async Task<(HttpStatusCode Status, string Text)> GetAsync(
        RunningDashboard dashboard,
        string path,
        string? forwardedFor = null,
        string? token = null
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (forwardedFor is not null)
            request.Headers.Add("X-Forwarded-For", forwardedFor);
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await dashboard.Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
