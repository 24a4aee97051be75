using System.Diagnostics;
using FactoryStream.ServiceDefaults;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace FactoryStream.Tests.ServiceDefaults;

public sealed class SpanTests
{
    [Theory]
    [InlineData("kafka:9093", "kafka", 9093)]
    [InlineData("kafka", "kafka", 9092)]
    [InlineData("one:9093,two:9094", "one", 9093)]
    [InlineData("[::1]:9093", "[::1]", 9093)]
    public void A_span_of_messages_says_where_the_broker_is(string connectionString, string address, int port)
    {
        var span = Trace(new BrokerAddress(connectionString), ActivityKind.Producer, ("messaging.system", "kafka"));

        Assert.Equal((address, port), (span.GetTagItem("server.address"), span.GetTagItem("server.port")));
    }

    [Fact]
    public void Other_spans_and_those_that_say_it_themselves_are_left_alone()
    {
        Assert.Null(
            Trace(new BrokerAddress("kafka:9092"), ActivityKind.Client, ("messaging.system", "kafka")).GetTagItem("server.address")
        );
        Assert.Null(Trace(new BrokerAddress("kafka:9092"), ActivityKind.Consumer).GetTagItem("server.address"));
        Assert.Null(Trace(new BrokerAddress(null), ActivityKind.Producer, ("messaging.system", "kafka")).GetTagItem("server.address"));
        Assert.Equal(
            "own",
            Trace(new BrokerAddress("kafka:9092"), ActivityKind.Producer, ("messaging.system", "kafka"), ("server.address", "own"))
                .GetTagItem("server.address")
        );
    }

    [Theory]
    [InlineData("postgresql", ActivityKind.Client, SamplingDecision.Drop)]
    [InlineData("System.Net.Http.HttpRequestOut", ActivityKind.Client, SamplingDecision.RecordAndSample)]
    [InlineData("Microsoft.AspNetCore.Hosting.HttpRequestIn", ActivityKind.Server, SamplingDecision.RecordAndSample)]
    public void A_statement_that_belongs_to_nothing_begins_no_trace(string name, ActivityKind kind, SamplingDecision decision)
    {
        var sampler = new RateLimitingSampler(-1, TimeProvider.System);

        Assert.Equal(decision, sampler.ShouldSample(new SamplingParameters(default, default, name, kind)).Decision);
    }

    private static Activity Trace(BaseProcessor<Activity> processor, ActivityKind kind, params (string Name, string Value)[] tags)
    {
        using var source = new ActivitySource($"tests.{Guid.NewGuid():N}");
        using var tracing = Sdk.CreateTracerProviderBuilder().AddSource(source.Name).AddProcessor(processor).Build();
        var span = source.StartActivity("step", kind)!;
        foreach (var (name, value) in tags)
            span.SetTag(name, value);
        span.Stop();
        return span;
    }
}
