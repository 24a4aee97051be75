using System.Net;
using FactoryStream.Dashboard.Access;
using Microsoft.AspNetCore.Http;

namespace FactoryStream.Tests.Dashboard;

public sealed class ThisMachineTests
{
    [Theory]
    [InlineData("127.0.0.1", "localhost:8003", true)]
    [InlineData("127.0.0.1", "127.0.0.1:8003", true)]
    [InlineData("::1", "[::1]:8003", true)]
    [InlineData("::ffff:127.0.0.1", "dashboard.dev.localhost:8003", true)]
    [InlineData("10.0.0.7", "localhost:8003", false)]
    [InlineData("2001:db8::1", "localhost:8003", false)]
    [InlineData(null, "localhost:8003", false)]
    // A name of somebody's site that was made to lead here.
    [InlineData("127.0.0.1", "evil.example:8003", false)]
    public void Both_ends_are_of_this_machine(string? remote, string host, bool expected)
    {
        var request = Request(remote, host);

        Assert.Equal(expected, ThisMachine.IsCalling(request));
    }

    [Theory]
    [InlineData("X-Forwarded-For", "127.0.0.1", false)]
    [InlineData("Forwarded", "for=127.0.0.1", false)]
    [InlineData("Origin", "https://evil.example", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("Origin", "http://localhost:8003", true)]
    public void Nobody_else_stands_behind_the_connection(string header, string value, bool expected)
    {
        var request = Request("127.0.0.1", "localhost:8003");
        request.Headers[header] = value;

        Assert.Equal(expected, ThisMachine.IsCalling(request));
    }

    private static HttpRequest Request(string? remote, string host)
    {
        var context = new DefaultHttpContext { Connection = { RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote) } };
        (context.Request.Scheme, context.Request.Host) = ("http", new HostString(host));
        return context.Request;
    }
}
