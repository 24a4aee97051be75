using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>All that is known of one instance of a resource at one moment; what pages and tests look at.</summary>
public sealed record CustomResourceSnapshot
{
    /// <summary>Project, Executable, Parameter, ...</summary>
    public required string ResourceType { get; init; }

    /// <summary>What else is known, by name (<c>executable.pid</c>, <c>project.path</c>, ...).</summary>
    public required ImmutableArray<ResourcePropertySnapshot> Properties { get; init; }

    /// <summary>When the application was started, UTC.</summary>
    public DateTime? CreationTimeStamp { get; init; }

    /// <summary>When its process was last started, UTC.</summary>
    public DateTime? StartTimeStamp { get; init; }

    /// <summary>When its process last ended, UTC.</summary>
    public DateTime? StopTimeStamp { get; init; }

    /// <summary>One of <see cref="KnownResourceStates"/>.</summary>
    public ResourceStateSnapshot? State { get; init; }

    /// <summary>How its process last ended; 128 and the signal's number if by a signal.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Null unless it runs; then the worst of its reports, a report that is not in yet being unhealthy.</summary>
    public HealthStatus? HealthStatus => State?.Text != KnownResourceStates.Running ? null
        : HealthReports.IsEmpty ? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy
        : HealthReports.Min(report => report.Status ?? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy);

    /// <summary>The last result of each health check.</summary>
    public ImmutableArray<HealthReportSnapshot> HealthReports { get; init; } = [];

    /// <summary>The environment its process was given.</summary>
    public ImmutableArray<EnvironmentVariableSnapshot> EnvironmentVariables { get; init; } = [];

    /// <summary>Where it is reached.</summary>
    public ImmutableArray<UrlSnapshot> Urls { get; init; } = [];

    /// <summary>Where its data lies.</summary>
    public ImmutableArray<VolumeSnapshot> Volumes { get; init; } = [];

    /// <summary>What it can be told to do.</summary>
    public ImmutableArray<ResourceCommandSnapshot> Commands { get; init; } = [];

    /// <summary>What it refers to, waits for, is part of.</summary>
    public ImmutableArray<RelationshipSnapshot> Relationships { get; init; } = [];

    /// <summary>Whether pages leave it out.</summary>
    public bool IsHidden { get; init; }

    /// <summary>A Fluent icon's name.</summary>
    public string? IconName { get; init; }

    /// <summary>How the icon is drawn.</summary>
    public IconVariant? IconVariant { get; init; }
}

/// <summary>A state, and how it is shown.</summary>
public sealed record ResourceStateSnapshot(string Text, string? Style)
{
    /// <summary>A state shown plainly.</summary>
    public static implicit operator ResourceStateSnapshot?(string? text) => text is null ? null : new(text, null);
}

/// <summary>A named fact about a resource.</summary>
public sealed record ResourcePropertySnapshot(string Name, object? Value)
{
    /// <summary>What pages call it.</summary>
    public string? DisplayName { get; init; }

    /// <summary>Whether it is masked.</summary>
    public bool IsSensitive { get; init; }

    /// <summary>Whether it is shown before one asks for all.</summary>
    public bool IsHighlighted { get; init; }

    /// <summary>Its place among the properties.</summary>
    public int? SortOrder { get; init; }
}

/// <summary>An environment variable; from the application's description or inherited.</summary>
public sealed record EnvironmentVariableSnapshot(string Name, string? Value, bool IsFromSpec);

/// <summary>An address of a resource.</summary>
public sealed record UrlSnapshot(string? Name, string Url, bool IsInternal)
{
    /// <summary>How it is shown.</summary>
    public UrlDisplayPropertiesSnapshot DisplayProperties { get; init; } = new();

    /// <summary>Whether nobody listens there now.</summary>
    public bool IsInactive { get; init; }
}

/// <summary>How an address is shown.</summary>
public sealed record UrlDisplayPropertiesSnapshot(string DisplayName = "", int SortOrder = 0);

/// <summary>Where data lies.</summary>
public sealed record VolumeSnapshot(string? Source, string Target, string MountType, bool IsReadOnly);

/// <summary>An edge of the resource graph.</summary>
public sealed record RelationshipSnapshot(string ResourceName, string Type);

/// <summary>The last result of a health check; no status: it did not run yet.</summary>
public sealed record HealthReportSnapshot(string Name, HealthStatus? Status, string? Description, string? ExceptionText)
{
    /// <summary>When it ran, UTC.</summary>
    public DateTime? LastRunAt { get; init; }
}

/// <summary>A command as pages show it.</summary>
public sealed record ResourceCommandSnapshot(
    string Name, ResourceCommandState State, string DisplayName, string? DisplayDescription, string? ConfirmationMessage, string? IconName, IconVariant? IconVariant, bool IsHighlighted);

/// <summary>Whether a command can be given now.</summary>
public enum ResourceCommandState
{
    /// <summary>It can.</summary>
    Enabled,

    /// <summary>It cannot, but is shown.</summary>
    Disabled,

    /// <summary>It is not shown.</summary>
    Hidden,
}

/// <summary>Styles of states.</summary>
public static class KnownResourceStateStyles
{
    /// <summary>As it should be.</summary>
    public static readonly string Success = "success";

    /// <summary>Wrong.</summary>
    public static readonly string Error = "error";

    /// <summary>Worth a look.</summary>
    public static readonly string Info = "info";

    /// <summary>Doubtful.</summary>
    public static readonly string Warn = "warning";
}

/// <summary>The states of a resource.</summary>
public static class KnownResourceStates
{
    /// <summary>Its process is being started, or started again after a crash.</summary>
    public static readonly string Starting = nameof(Starting);

    /// <summary>Its process runs; see its health for more.</summary>
    public static readonly string Running = nameof(Running);

    /// <summary>It cannot be started.</summary>
    public static readonly string FailedToStart = nameof(FailedToStart);

    /// <summary>What it needs to run at all is unwell.</summary>
    public static readonly string RuntimeUnhealthy = nameof(RuntimeUnhealthy);

    /// <summary>It was told to end.</summary>
    public static readonly string Stopping = nameof(Stopping);

    /// <summary>It was ended, or failed for good.</summary>
    public static readonly string Exited = nameof(Exited);

    /// <summary>It ended by itself, its work done.</summary>
    public static readonly string Finished = nameof(Finished);

    /// <summary>It waits for others.</summary>
    public static readonly string Waiting = nameof(Waiting);

    /// <summary>It starts when told to.</summary>
    public static readonly string NotStarted = nameof(NotStarted);

    /// <summary>A parameter without a value.</summary>
    public static readonly string ValueMissing = nameof(ValueMissing);

    /// <summary>States that are left only by a command.</summary>
    public static readonly IReadOnlyList<string?> TerminalStates = [Finished, FailedToStart, Exited];
}
