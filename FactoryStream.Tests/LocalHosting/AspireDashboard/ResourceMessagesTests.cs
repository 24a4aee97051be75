using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.AspireDashboard;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Protocol = FactoryStream.LocalHosting.AspireDashboard.Protocol;

namespace FactoryStream.Tests.LocalHosting.AspireDashboard;

public sealed class ResourceMessagesTests
{
    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);

    private static readonly CustomResourceSnapshot Empty = new() { ResourceType = "Project", Properties = [] };

    [Fact]
    public void The_barest_resource_has_all_that_the_dashboard_cannot_do_without()
    {
        var message = From(Empty);

        Assert.Equal("verifier-abc", message.Name);
        Assert.Equal("verifier-abc", message.Uid);
        Assert.Equal("verifier", message.DisplayName);
        Assert.NotNull(message.CreatedAt);
        Assert.Null(message.StartedAt);
        Assert.False(message.HasState);
        Assert.All(message.Properties, property => Assert.NotNull(property.Value));
    }

    [Fact]
    public void A_property_without_a_value_has_the_null_value()
    {
        var message = From(Empty with { Properties = [new("executable.pid", null)] });

        Assert.Equal(Value.KindOneofCase.NullValue, Property(message, "executable.pid").Value.KindCase);
    }

    [Fact]
    public void Values_keep_their_kinds()
    {
        var message = From(Empty with { Properties = [new("number", 7), new("flag", true), new("many", (string[])["a", "b"]), new("time", Noon), new("text", "x")] });

        Assert.Equal(7, Property(message, "number").Value.NumberValue);
        Assert.True(Property(message, "flag").Value.BoolValue);
        Assert.Equal(["a", "b"], Property(message, "many").Value.ListValue.Values.Select(value => value.StringValue));
        Assert.Equal("2026-01-01T12:00:00.0000000Z", Property(message, "time").Value.StringValue);
        Assert.Equal("x", Property(message, "text").Value.StringValue);
    }

    [Fact]
    public void A_secret_is_marked_as_one()
    {
        var message = From(Empty with { Properties = [new("Value", "secret") { IsSensitive = true }, new("resource.source", "Parameters:x")] });

        Assert.True(Property(message, "Value").IsSensitive);
        Assert.False(Property(message, "resource.source").HasIsSensitive);
    }

    [Fact]
    public void State_times_and_exit_code_are_properties_too()
    {
        var message = From(Empty with { State = KnownResourceStates.Exited, CreationTimeStamp = Noon, StartTimeStamp = Noon.AddSeconds(1), StopTimeStamp = Noon.AddSeconds(2), ExitCode = 137 });

        Assert.Equal("Exited", message.State);
        Assert.Equal(Noon, message.CreatedAt.ToDateTime());
        Assert.Equal(Noon.AddSeconds(1), message.StartedAt.ToDateTime());
        Assert.Equal(Noon.AddSeconds(2), message.StoppedAt.ToDateTime());
        Assert.Equal("Exited", Property(message, "resource.state").Value.StringValue);
        Assert.Equal("137", Property(message, "resource.exitCode").Value.StringValue);
        Assert.Equal("2026-01-01T12:00:01.0000000Z", Property(message, "resource.startTime").Value.StringValue);
    }

    [Fact]
    public void What_the_dashboard_knows_comes_first_and_all_that_matters_is_highlighted()
    {
        var message = From(Empty with
        {
            State = KnownResourceStates.Running,
            Properties = [new("executable.workDir", "/"), new("zzz", "own"), new("executable.pid", 7), new("resource.connectionString", "c") { IsSensitive = true }],
        });

        string[] shown = [.. message.Properties.Where(property => property.IsHighlighted).Select(property => property.Name)];
        Assert.Equal(["resource.displayName", "resource.state", "resource.healthState", "resource.connectionString", "executable.pid", "executable.workDir"], shown);
        Assert.Equal("Process id", Property(message, "executable.pid").DisplayName);
    }

    [Fact]
    public void Every_address_has_a_name_and_display_properties()
    {
        var message = From(Empty with
        {
            Urls = [new UrlSnapshot(null, "tcp://127.0.0.1:9092", false), new UrlSnapshot("http", "http://localhost:1/", false) { IsInactive = true, DisplayProperties = new("Page", 3) }, new UrlSnapshot("tcp", "", false)],
        });

        Assert.Equal(2, message.Urls.Count);
        Assert.All(message.Urls, url => Assert.True(url.HasEndpointName));
        Assert.All(message.Urls, url => Assert.NotNull(url.DisplayProperties));
        Assert.Equal(("Page", 3, true), (message.Urls[1].DisplayProperties.DisplayName, message.Urls[1].DisplayProperties.SortOrder, message.Urls[1].IsInactive));
    }

    [Fact]
    public void A_check_that_has_not_run_has_no_status()
    {
        var message = From(Empty with
        {
            State = KnownResourceStates.Running,
            HealthReports = [new("a", null, null, null), new("b", HealthStatus.Unhealthy, "no", "System.Exception: no") { LastRunAt = Noon }],
        });

        Assert.False(message.HealthReports[0].HasStatus);
        Assert.Null(message.HealthReports[0].LastRunAt);
        Assert.Equal((Protocol.HealthStatus.Unhealthy, "no", "System.Exception: no"), (message.HealthReports[1].Status, message.HealthReports[1].Description, message.HealthReports[1].Exception));
        Assert.Equal("Unhealthy", Property(message, "resource.healthState").Value.StringValue);
    }

    [Fact]
    public void Environment_edges_volumes_and_commands_are_told()
    {
        var message = From(Empty with
        {
            EnvironmentVariables = [new("A", "1", true), new("B", null, false)],
            Relationships = [new("kafka", "Reference"), new("kafka", "WaitFor"), new("kafka", "Reference")],
            Volumes = [new VolumeSnapshot("/data", "/data", "bind", false)],
            Commands = [new ResourceCommandSnapshot("purge", ResourceCommandState.Disabled, "Purge", "All of it", "Sure?", "Delete", IconVariant.Filled, true)],
            IconName = "Database",
        });

        Assert.Equal([("A", true, true), ("B", false, false)], message.Environment.Select(variable => (variable.Name, variable.HasValue, variable.IsFromSpec)));
        Assert.Equal([("kafka", "Reference"), ("kafka", "WaitFor")], message.Relationships.Select(edge => (edge.ResourceName, edge.Type)));
        Assert.Equal("/data", Assert.Single(message.Volumes).Target);
        var command = Assert.Single(message.Commands);
        Assert.Equal(("purge", "Purge", "All of it", "Sure?", "Delete", true), (command.Name, command.DisplayName, command.DisplayDescription, command.ConfirmationMessage, command.IconName, command.IsHighlighted));
        Assert.Equal((Protocol.ResourceCommandState.Disabled, Protocol.IconVariant.Filled), (command.State, command.IconVariant));
        Assert.Equal(("Database", Protocol.IconVariant.Regular), (message.IconName, message.IconVariant));
    }

    [Theory]
    [InlineData(true, false, Protocol.ResourceCommandResponseKind.Succeeded)]
    [InlineData(false, true, Protocol.ResourceCommandResponseKind.Cancelled)]
    [InlineData(false, false, Protocol.ResourceCommandResponseKind.Failed)]
    internal void A_commands_result_is_told(bool success, bool canceled, Protocol.ResourceCommandResponseKind kind)
    {
        var message = ResourceMessages.From(new ExecuteCommandResult { Success = success, Canceled = canceled, Message = "so" });

        Assert.Equal((kind, "so"), (message.Kind, message.Message));
    }

    private static Protocol.Resource From(CustomResourceSnapshot snapshot) => ResourceMessages.From(new ResourceEvent(new ProjectResource("verifier"), "verifier-abc", snapshot));

    private static Protocol.ResourceProperty Property(Protocol.Resource message, string name) => message.Properties.Single(property => property.Name == name);
}
