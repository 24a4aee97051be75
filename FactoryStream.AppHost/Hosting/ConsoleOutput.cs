using System.Text.RegularExpressions;
using System.Threading.Channels;

namespace FactoryStream.AppHost.Hosting;

/// <summary>
/// The AppHost's own output: every resource's lines with its name in front. A reader that is slow or gone loses lines; nothing ever waits
/// for it.
/// </summary>
internal sealed partial class ConsoleOutput : IAsyncDisposable
{
    private const int LinesBehind = 10_000;
    private const int NameWidth = 12;

    // Readable on dark and on light grounds.
    private static readonly int[] Colours = [36, 32, 35, 34, 33, 31];

    private readonly Channel<string> lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(LinesBehind) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest }
    );
    private readonly TextWriter? writer;
    private readonly bool coloured;
    private readonly Task writing;

    private ConsoleOutput(TextWriter? writer, bool coloured)
    {
        (this.writer, this.coloured) = (writer, coloured);
        writing = WriteAsync();
    }

    public static ConsoleOutput ToTerminal() =>
        new(Console.Out, !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")));

    public static ConsoleOutput ToNowhere() => new(null, false);

    public static ConsoleOutput To(TextWriter writer, bool coloured) => new(writer, coloured);

    /// <summary>A line of an instance.</summary>
    public void Write(string resourceId, string text, bool isError)
    {
        if (writer is null)
            return;
        var name = resourceId.PadRight(NameWidth);
        if (!coloured)
        {
            // Services colour what they log, since the dashboard shows it so.
            lines.Writer.TryWrite($"{name} | {Colour().Replace(text, "")}");
            return;
        }
        var hash = 0;
        foreach (var letter in resourceId)
            hash = hash * 31 + letter;
        lines.Writer.TryWrite(
            $"\e[{Colours[(hash & int.MaxValue) % Colours.Length]}m{name} |\e[0m {(isError ? $"\e[31m{text}\e[0m" : text)}"
        );
    }

    /// <summary>A word of the AppHost itself.</summary>
    public void Say(string text)
    {
        if (writer is not null)
            lines.Writer.TryWrite(text);
    }

    public async ValueTask DisposeAsync()
    {
        lines.Writer.TryComplete();
        await Task.WhenAny(writing, Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None));
    }

    private async Task WriteAsync()
    {
        await foreach (var line in lines.Reader.ReadAllAsync())
        {
            try
            {
                writer?.WriteLine(line);
            }
            catch (IOException)
            {
                // Nobody reads any more (a closed terminal, a broken pipe). The dashboard has the lines as well.
            }
        }
    }

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
