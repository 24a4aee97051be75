using Spectre.Console;

namespace FactoryStream.Benchmarks.Load;

/// <summary>A progress bar on the error output, so that results can be piped; lines now and then where that is no terminal.</summary>
internal sealed class ProgressBar(TextWriter error)
{
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>Shows how far <paramref name="work"/> is until it ends.</summary>
    /// <param name="title">What it is.</param>
    /// <param name="total">When it is done.</param>
    /// <param name="done">How far it is.</param>
    /// <param name="state">More to say beside the title; null: nothing.</param>
    /// <param name="work">What is awaited.</param>
    public async Task ShowAsync(string title, double total, Func<double> done, Func<string>? state, Func<Task> work)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        await console
            .Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(title), maxValue: Math.Max(total, 1));
                var working = work();
                while (await Task.WhenAny(working, Task.Delay(RefreshEvery, CancellationToken.None)) != working)
                    Update();
                Update();
                await working;

                void Update()
                {
                    task.Value = done();
                    if (state is not null)
                        task.Description = Markup.Escape($"{title} {state()}");
                }
            });
    }
}
