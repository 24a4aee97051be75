using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using FactoryStream.Dashboard.Access;
using FactoryStream.Tests.Storage;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace FactoryStream.Tests.Dashboard;

[Collection(DatabaseTests.Name)]
public sealed class TokenAttemptsTests(PostgresFixture postgres)
{
    private static readonly IPAddress Guesser = IPAddress.Parse("203.0.113.5");

    private readonly FakeTimeProvider time = new();

    [Fact]
    public void Who_guesses_is_not_heard_for_a_minute_and_others_are()
    {
        var attempts = Attempts();
        for (var i = 0; i < TokenAttempts.MostWrong; i++)
            Assert.Equal(default, attempts.Try(i.ToString(CultureInfo.InvariantCulture), Guesser));

        time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(TimeSpan.FromSeconds(40), attempts.Try("read", Guesser).RetryAfter);
        Assert.NotNull(attempts.Try("read", IPAddress.Parse("203.0.113.6")).Holder);
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.NotNull(attempts.Try("read", Guesser).Holder);
    }

    [Fact]
    public void A_program_with_one_outdated_token_locks_nobody_out()
    {
        var attempts = Attempts();
        for (var i = 0; i < 100; i++)
            Assert.Equal(default, attempts.Try("outdated", Guesser));

        Assert.NotNull(attempts.Try("read", Guesser).Holder);
    }

    [Fact]
    public void Addresses_of_one_IPv6_network_are_one_guesser()
    {
        var attempts = Attempts();
        for (var i = 1; i <= TokenAttempts.MostWrong; i++)
            attempts.Try($"guess {i}", IPAddress.Parse($"2001:db8:0:1::{i}"));

        Assert.NotNull(attempts.Try("read", IPAddress.Parse("2001:db8:0:1::ffff")).RetryAfter);
        Assert.NotNull(attempts.Try("read", IPAddress.Parse("2001:db8:0:2::1")).Holder);
    }

    [SkippableFact]
    public async Task Guesses_are_answered_429_with_the_time_to_wait()
    {
        await using var dashboard = await RunningDashboard.StartAsync(postgres, null, "--Dashboard:Access:ReadToken=read");
        HttpResponseMessage? answer = null;
        for (var i = 0; i <= TokenAttempts.MostWrong; i++)
        {
            answer?.Dispose();
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/books");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", $"guess-{i}");
            answer = await dashboard.Client.SendAsync(request);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, answer!.StatusCode);
        Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        answer.Dispose();
    }

    private TokenAttempts Attempts() => new(Options.Create(new AccessOptions { ReadToken = "read" }), time);
}
