using System.Diagnostics;
using FactoryStream.ServiceDefaults;
using FactoryStream.Tests.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FactoryStream.Tests.ServiceDefaults;

public sealed class FailFastTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_service_whose_worker_throws_ends_with_exit_code_1_and_says_so_once()
    {
        var (exitCode, said) = await RunAsync(_ => throw new FormatException("no such reading"));

        Assert.Equal(1, exitCode);
        Assert.Equal(["ServiceWorker cannot go on, so the service ends with exit code 1: no such reading"], said);
    }

    [Fact]
    public async Task A_worker_that_was_cancelled_though_nobody_stopped_the_service_ends_it_with_exit_code_1()
    {
        var (exitCode, said) = await RunAsync(_ => throw new TaskCanceledException());

        Assert.Equal(1, exitCode);
        Assert.Equal(["ServiceWorker cannot go on, so the service ends with exit code 1: it was cancelled though nobody stopped it"], said);
    }

    [Fact]
    public async Task A_worker_that_fails_while_it_stops_makes_the_exit_code_1()
    {
        var (exitCode, _) = await RunAsync(
            async stopping =>
            {
                await Task.Delay(Timeout.Infinite, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw new FormatException("not given up in good order");
            },
            stopped: true);

        Assert.Equal(1, exitCode);
    }

    [Fact]
    public async Task A_service_that_is_stopped_ends_with_exit_code_0()
    {
        var (exitCode, said) = await RunAsync(stopping => Task.Delay(Timeout.Infinite, stopping), stopped: true);

        Assert.Equal(0, exitCode);
        Assert.Empty(said);
    }

    /// <summary>The Aggregator's worker needs an address of Kafka and throws without one; the process is a real one.</summary>
    [Fact]
    public async Task The_process_of_a_service_whose_worker_throws_ends_with_exit_code_1()
    {
        var start = new ProcessStartInfo("dotnet", [SimulatorProcess.PathOf("FactoryStream.Aggregator"), "--urls=http://127.0.0.1:0", "--ConnectionStrings:factorydb=Host=127.0.0.1;Port=1"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("ConnectionStrings__kafka");
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }

        Assert.Contains("AggregatorWorker cannot go on, so the service ends with exit code 1: No Kafka address", await output, StringComparison.Ordinal);
        Assert.Equal("", await errors);
        Assert.Equal(1, process.ExitCode);
    }

    /// <summary>Runs a service of one worker to its end; the exit code, and what the defaults said critically.</summary>
    private static async Task<(int ExitCode, IEnumerable<string> Said)> RunAsync(Func<CancellationToken, Task> work, bool stopped = false)
    {
        var before = Environment.ExitCode;
        try
        {
            var builder = Host.CreateApplicationBuilder();
            builder.AddServiceDefaults();
            builder.Logging.ClearProviders();
            builder.Logging.AddFakeLogging();
            builder.Services.AddSingleton(work);
            builder.Services.AddHostedService<ServiceWorker>();
            using var host = builder.Build();
            var failFast = host.Services.GetRequiredService<FailFast>();
            var logs = host.Services.GetFakeLogCollector();
            await host.StartAsync().WaitAsync(Patience);
            if (stopped)
                await host.StopAsync().WaitAsync(Patience);
            else
                await host.WaitForShutdownAsync().WaitAsync(Patience);
            Assert.Equal(failFast.ExitCode == 1 ? 1 : before, Environment.ExitCode);
            return (failFast.ExitCode, logs.GetSnapshot().Where(line => line.Level == LogLevel.Critical && line.Category == typeof(FailFast).FullName).Select(line => line.Message));
        }
        finally
        {
            Environment.ExitCode = before;
        }
    }

    private sealed class ServiceWorker(Func<CancellationToken, Task> work, IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            // What fails while others still start is another story: the host's start then throws.
            await Task.Delay(Timeout.Infinite, lifetime.ApplicationStarted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await work(stoppingToken);
        }
    }
}
