using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using FactoryStream.LocalHosting.Terminal;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A line of a resource's console, numbered from 1, with its time in front.</summary>
public readonly record struct LogLine(int LineNumber, string Content, bool IsErrorMessage);

/// <summary>What each instance has written: its last lines, and the stream of new ones.</summary>
public sealed class ResourceLoggerService
{
    /// <summary>Lines kept for each instance; older ones are in its log file.</summary>
    internal const int HistoryLines = 10_000;

    /// <summary>Lines that a slow reader may fall behind before it misses some.</summary>
    private const int FollowerLines = 4_000;

    private readonly ConcurrentDictionary<string, Console> consoles = new(StringComparer.OrdinalIgnoreCase);
    private readonly ResourceNotificationService notifications;
    private readonly ConsoleOutput output;
    private readonly TimeProvider clock;

    internal ResourceLoggerService(ResourceNotificationService notifications, ConsoleOutput output, TimeProvider clock)
    {
        this.notifications = notifications;
        this.output = output;
        this.clock = clock;
    }

    /// <summary>Writes to a resource's console.</summary>
    public ILogger GetLogger(IResource resource) => GetLogger(notifications.InstancesOf(resource) is [var only, ..] ? only : resource.Name);

    /// <summary>Writes to an instance's console.</summary>
    public ILogger GetLogger(string resourceName) => new ConsoleLogger(this, resourceName);

    /// <summary>What an instance has written and all that it will write.</summary>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(string resourceName) => Of(resourceName).WatchAsync(follow: true);

    /// <summary>What a resource's first instance has written and all that it will write.</summary>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(IResource resource) => WatchAsync(notifications.InstancesOf(resource) is [var only, ..] ? only : resource.Name);

    /// <summary>What an instance has written.</summary>
    public IAsyncEnumerable<IReadOnlyList<LogLine>> GetAllAsync(string resourceName) => Of(resourceName).WatchAsync(follow: false);

    /// <summary>A line that an instance's process wrote.</summary>
    internal void Write(string resourceId, string text, bool isError)
    {
        var console = Of(resourceId);
        console.Add($"{clock.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {text}", isError);
        if (!console.IsQuiet)
            output.Write(console.Label ?? resourceId, text, isError);
    }

    /// <summary>Also keeps an instance's lines in a file, and says what people call the instance; a quiet one's are not shown on the terminal.</summary>
    internal void KeepIn(string resourceId, string label, LogFile file, bool quiet = false) =>
        (Of(resourceId).Label, Of(resourceId).File, Of(resourceId).IsQuiet) = (label, file, quiet);

    private Console Of(string resourceId) => consoles.GetOrAdd(resourceId, _ => new Console());

    private sealed class Console
    {
        private readonly Lock gate = new();
        private readonly Queue<LogLine> history = new();
        private readonly List<Channel<IReadOnlyList<LogLine>>> followers = [];
        private int lines;

        public LogFile? File { get; set; }

        public string? Label { get; set; }

        public bool IsQuiet { get; set; }

        public void Add(string content, bool isError)
        {
            lock (gate)
            {
                var line = new LogLine(++lines, content, isError);
                history.Enqueue(line);
                if (history.Count > HistoryLines)
                    history.Dequeue();
                foreach (var follower in followers)
                    follower.Writer.TryWrite([line]);
                File?.Write(content);
            }
        }

        public async IAsyncEnumerable<IReadOnlyList<LogLine>> WatchAsync(bool follow, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            var channel = Channel.CreateBounded<IReadOnlyList<LogLine>>(new BoundedChannelOptions(FollowerLines) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
            IReadOnlyList<LogLine> past;
            lock (gate)
            {
                past = [.. history];
                if (follow)
                    followers.Add(channel);
            }
            try
            {
                if (past.Count > 0)
                    yield return past;
                if (!follow)
                    yield break;
                await foreach (var line in channel.Reader.ReadAllAsync(cancellationToken))
                    yield return line;
            }
            finally
            {
                lock (gate)
                    followers.Remove(channel);
            }
        }
    }

    private sealed class ConsoleLogger(ResourceLoggerService service, string resourceId) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            foreach (var line in formatter(state, exception).Split('\n'))
                service.Write(resourceId, line, logLevel >= LogLevel.Error);
            if (exception is not null)
                service.Write(resourceId, exception.Message, logLevel >= LogLevel.Error);
        }
    }
}
