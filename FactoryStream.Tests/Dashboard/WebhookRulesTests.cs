using System.Net;
using FactoryStream.Dashboard.Webhooks;

namespace FactoryStream.Tests.Dashboard;

/// <summary>What is pure of webhooks: pauses, addresses, signatures, and what a webhook may be.</summary>
public sealed class WebhookRulesTests
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    [Theory]
    [InlineData(0, 5)]
    [InlineData(4, 5)]
    [InlineData(40, 40)]
    [InlineData(80_000, 3_600)]
    public void A_pause_is_as_long_as_it_was_tried_from_the_first_pause_to_an_hour(int tried, int pause) =>
        Assert.Equal(TimeSpan.FromSeconds(pause), RetryTimes.PauseAfter(TimeSpan.FromSeconds(tried), First, Day, jitter: 0.5));

    [Fact]
    public void Pauses_differ_by_a_quarter_and_end_when_it_was_tried_for_long_enough()
    {
        var tried = TimeSpan.FromSeconds(40);

        Assert.Equal(TimeSpan.FromSeconds(30), RetryTimes.PauseAfter(tried, First, Day, jitter: 0));
        Assert.Equal(TimeSpan.FromSeconds(50), RetryTimes.PauseAfter(tried, First, Day, jitter: 1));
        Assert.NotNull(RetryTimes.PauseAfter(Day - TimeSpan.FromTicks(1), First, Day, jitter: 0));
        Assert.Null(RetryTimes.PauseAfter(Day, First, Day, jitter: 0));
    }

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2001:0:7f00:1::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("ff02::1", false)]
    public void Public_is_what_is_neither_loopback_nor_private_nor_link_local_nor_holds_such_an_address(string address, bool isPublic) =>
        Assert.Equal(isPublic, PublicAddresses.Contain(IPAddress.Parse(address)));

    /// <summary>By <c>printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef</c>.</summary>
    [Fact]
    public void A_signature_is_the_HMAC_of_timestamp_and_body() =>
        Assert.Equal(
            "sha256=e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e",
            WebhookSignature.Of("0123456789abcdef", 1_700_000_000, "{}"u8)
        );

    [Theory]
    [InlineData(null, null, null, "url: expected an address of http or https without a password, found null")]
    [InlineData("/alerts", null, null, "url: expected an address of http or https without a password, found '/alerts'")]
    [InlineData("ftp://example.org", null, null, "url: expected an address of http or https")]
    [InlineData("https://user:word@example.org", null, null, "url: expected an address of http or https without a password")]
    [InlineData("https://example.org", "short", null, "secret: expected 16 to 256 visible characters of ASCII, found another")]
    [InlineData("https://example.org", null, "", "severities: expected one or more of warning, alarm, found none")]
    [InlineData("https://example.org", null, "bad", "severities: expected one or more of warning, alarm, found 'bad'")]
    public void What_is_no_webhook_is_refused_with_what_was_expected(string? url, string? secret, string? severities, string expected)
    {
        var request = new WebhookRequest(url, secret, severities?.Split(',', StringSplitOptions.RemoveEmptyEntries), null, null, null);

        Assert.False(request.TryValidate(out _, out var error));
        Assert.StartsWith(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_left_out_of_a_webhook_means_all_alerts_and_turned_on()
    {
        Assert.True(new WebhookRequest("https://example.org/a", null, null, null, null, null).TryValidate(out var settings, out _));

        Assert.Equal(["warning", "alarm"], settings.Severities);
        Assert.True(settings.IsEnabled);
    }
}
