using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using FactoryStream.LocalHosting.AspireDashboard.Protocol;
using Google.Protobuf.WellKnownTypes;
using EnvironmentVariable = FactoryStream.LocalHosting.AspireDashboard.Protocol.EnvironmentVariable;
using Resource = FactoryStream.LocalHosting.AspireDashboard.Protocol.Resource;

namespace FactoryStream.LocalHosting.AspireDashboard;

/// <summary>
/// From the model to what the dashboard reads. It takes one message that lacks <c>created_at</c>, a property's <c>value</c> or a URL's
/// <c>display_properties</c> for a page that says "Loading..." for ever, without a word of why: here alone are messages made.
/// </summary>
internal static class ResourceMessages
{
    /// <summary>What the dashboard calls and orders by itself, in its order.</summary>
    private static readonly string[] KnownToDashboard =
    [
        "resource.displayName", "resource.state", "resource.healthState", "resource.startTime", "resource.stopTime", "resource.exitCode", "resource.connectionString",
    ];

    /// <summary>What else is worth seeing at once, and what people call it.</summary>
    private static readonly (string Name, string DisplayName)[] Highlighted =
    [
        ("Value", "Value"), ("project.path", "Project path"), ("executable.path", "Executable"), ("executable.pid", "Process id"), ("resource.source", "Source"),
        ("resource.waitingFor", "Waiting for"), ("executable.workDir", "Working directory"), ("executable.args", "Arguments"), ("resource.parentName", "Part of"), ("container.folder", "Data"),
    ];

    public static Resource From(ResourceEvent known)
    {
        var snapshot = known.Snapshot;
        var message = new Resource
        {
            Name = known.ResourceId,
            Uid = known.ResourceId,
            DisplayName = known.Resource.Name,
            ResourceType = snapshot.ResourceType,
            CreatedAt = Time(snapshot.CreationTimeStamp ?? snapshot.StartTimeStamp ?? DateTime.UnixEpoch),
            StartedAt = snapshot.StartTimeStamp is { } started ? Time(started) : null,
            StoppedAt = snapshot.StopTimeStamp is { } stopped ? Time(stopped) : null,
            IsHidden = snapshot.IsHidden,
        };
        if (snapshot.State is { } state)
            message.State = state.Text;
        if (StyleOf(snapshot) is { } style)
            message.StateStyle = style;
        if (snapshot.IconName is { } icon)
        {
            message.IconName = icon;
            message.IconVariant = Variant(snapshot.IconVariant);
        }
        message.Environment.Add(snapshot.EnvironmentVariables.Select(From));
        message.Properties.Add(PropertiesOf(known).OrderBy(property => property.SortOrder).ThenBy(property => property.Name, StringComparer.Ordinal));
        message.Urls.Add(snapshot.Urls.Where(url => Uri.TryCreate(url.Url, UriKind.Absolute, out _)).Select(From));
        message.Volumes.Add(snapshot.Volumes.Select(volume => new Volume { Source = volume.Source ?? "", Target = volume.Target, MountType = volume.MountType, IsReadOnly = volume.IsReadOnly }));
        message.HealthReports.Add(snapshot.HealthReports.Select(From));
        message.Relationships.Add(snapshot.Relationships.Distinct().Select(edge => new ResourceRelationship { ResourceName = edge.ResourceName, Type = edge.Type }));
        message.Commands.Add(snapshot.Commands.Select(From));
        return message;
    }

    public static ConsoleLogLine From(LogLine line) => new() { Text = line.Content, LineNumber = line.LineNumber, IsStdErr = line.IsErrorMessage };

    public static ResourceCommandResponse From(ExecuteCommandResult result)
    {
        var message = new ResourceCommandResponse
        {
            Kind = result.Success ? ResourceCommandResponseKind.Succeeded : result.Canceled ? ResourceCommandResponseKind.Cancelled : ResourceCommandResponseKind.Failed,
        };
        if (result.Message is { } text)
            message.Message = text;
        return message;
    }

    /// <summary>A state that is reached by a fault is shown as one, whether or not who set it said so.</summary>
    private static string? StyleOf(CustomResourceSnapshot snapshot) =>
        snapshot.State?.Style ?? (snapshot.State?.Text == KnownResourceStates.Exited && snapshot.ExitCode > 128 ? KnownResourceStateStyles.Warn : null);

    private static IEnumerable<ResourceProperty> PropertiesOf(ResourceEvent known)
    {
        var snapshot = known.Snapshot;
        var own = new List<ResourcePropertySnapshot>
        {
            new("resource.displayName", known.Resource.Name),
            new("resource.state", snapshot.State?.Text),
            new("resource.uid", known.ResourceId),
            new("resource.name", known.ResourceId),
            new("resource.type", snapshot.ResourceType),
        };
        if (snapshot.HealthStatus is { } health)
            own.Add(new("resource.healthState", health.ToString()));
        if (snapshot.StartTimeStamp is { } started)
            own.Add(new("resource.startTime", started));
        if (snapshot.StopTimeStamp is { } stopped)
            own.Add(new("resource.stopTime", stopped));
        if (snapshot.ExitCode is { } exitCode)
            own.Add(new("resource.exitCode", exitCode.ToString(CultureInfo.InvariantCulture)));
        // What the instance itself says of the same name is the newer word.
        return own.Where(property => !snapshot.Properties.Any(said => said.Name == property.Name))
            .Concat(snapshot.Properties.GroupBy(property => property.Name).Select(group => group.Last()))
            .Where(property => property.Value is not null || Array.IndexOf(KnownToDashboard, property.Name) < 0)
            .Select(From);
    }

    private static ResourceProperty From(ResourcePropertySnapshot property)
    {
        var message = new ResourceProperty { Name = property.Name, Value = ValueOf(property.Value), IsHighlighted = property.IsHighlighted };
        if (property.IsSensitive)
            message.IsSensitive = true;
        var (known, place) = (Array.IndexOf(KnownToDashboard, property.Name), Array.FindIndex(Highlighted, entry => entry.Name == property.Name));
        message.IsHighlighted |= known >= 0 || place >= 0;
        if ((property.DisplayName ?? (place >= 0 ? Highlighted[place].DisplayName : null)) is { } displayName)
            message.DisplayName = displayName;
        message.SortOrder = property.SortOrder ?? (known >= 0 ? known : KnownToDashboard.Length + (place >= 0 ? place : Highlighted.Length));
        return message;
    }

    private static Value ValueOf(object? value) => value switch
    {
        null => Value.ForNull(),
        string text => Value.ForString(text),
        bool flag => Value.ForBool(flag),
        int or long or double => Value.ForNumber(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        DateTime time => Value.ForString(time.ToString("O", CultureInfo.InvariantCulture)),
        IEnumerable<string> many => Value.ForList([.. many.Select(Value.ForString)]),
        _ => Value.ForString(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""),
    };

    private static EnvironmentVariable From(EnvironmentVariableSnapshot variable)
    {
        var message = new EnvironmentVariable { Name = variable.Name, IsFromSpec = variable.IsFromSpec };
        if (variable.Value is { } value)
            message.Value = value;
        return message;
    }

    private static Url From(UrlSnapshot url) => new()
    {
        // An address without an endpoint's name is left out of the grid.
        EndpointName = url.Name ?? "address",
        FullUrl = url.Url,
        IsInternal = url.IsInternal,
        IsInactive = url.IsInactive,
        DisplayProperties = new UrlDisplayProperties { DisplayName = url.DisplayProperties.DisplayName, SortOrder = url.DisplayProperties.SortOrder },
    };

    private static HealthReport From(HealthReportSnapshot report)
    {
        var message = new HealthReport
        {
            Key = report.Name,
            Description = report.Description ?? "",
            Exception = report.ExceptionText ?? "",
            LastRunAt = report.LastRunAt is { } last ? Time(last) : null,
        };
        if (report.Status is { } status)
        {
            message.Status = status switch
            {
                Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy => HealthStatus.Healthy,
                Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Degraded => HealthStatus.Degraded,
                _ => HealthStatus.Unhealthy,
            };
        }
        return message;
    }

    private static ResourceCommand From(ResourceCommandSnapshot command)
    {
        var message = new ResourceCommand
        {
            Name = command.Name,
            DisplayName = command.DisplayName,
            IsHighlighted = command.IsHighlighted,
            State = command.State switch
            {
                Aspire.Hosting.ApplicationModel.ResourceCommandState.Enabled => Protocol.ResourceCommandState.Enabled,
                Aspire.Hosting.ApplicationModel.ResourceCommandState.Disabled => Protocol.ResourceCommandState.Disabled,
                _ => Protocol.ResourceCommandState.Hidden,
            },
        };
        if (command.ConfirmationMessage is { } confirmation)
            message.ConfirmationMessage = confirmation;
        if (command.DisplayDescription is { } description)
            message.DisplayDescription = description;
        if (command.IconName is { } icon)
        {
            message.IconName = icon;
            message.IconVariant = Variant(command.IconVariant);
        }
        return message;
    }

    private static Protocol.IconVariant Variant(Aspire.Hosting.ApplicationModel.IconVariant? variant) =>
        variant == Aspire.Hosting.ApplicationModel.IconVariant.Filled ? Protocol.IconVariant.Filled : Protocol.IconVariant.Regular;

    private static Timestamp Time(DateTime time) => Timestamp.FromDateTime(DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
