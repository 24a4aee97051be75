using System.Diagnostics;
using FactoryStream.ServiceDefaults;
using FactoryStream.Tests.Distributed;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
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
    public async Task A_service_that_is_stopped_while_it_starts_ends_as_one_that_was_stopped()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddHostedService<StoppedStart>();

        await Task.Run(() => builder.Build().RunService()).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_worker_that_was_cancelled_though_nobody_stopped_the_service_ends_it_with_exit_code_1()
    {
        var (exitCode, said) = await RunAsync(_ => throw new TaskCanceledException());

        Assert.Equal(1, exitCode);
        Assert.Equal(
            ["ServiceWorker cannot go on, so the service ends with exit code 1: " + "it was cancelled while the service was not stopping"],
            said
        );
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
            stopped: true
        );

        Assert.Equal(1, exitCode);
    }

    /// <summary>A start that is broken off would end the process by a signal instead.</summary>
    [Fact]
    public async Task A_worker_that_throws_while_others_still_start_lets_them_start_first()
    {
        var threw = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (exitCode, _) = await RunAsync(
            _ =>
            {
                threw.SetResult();
                throw new FormatException("no such reading");
            },
            startsLast: new SlowStart(threw.Task)
        );

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
        var program = ToolProcess.PathOf("FactoryStream.Aggregator");
        const string database = "--ConnectionStrings:factorydb=Host=127.0.0.1;Port=1";
        var start = new ProcessStartInfo("dotnet", [program, "--urls=http://127.0.0.1:0", database])
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

        const string said = "AggregatorWorker cannot go on, so the service ends with exit code 1: No Kafka address";
        Assert.Contains(said, await output, StringComparison.Ordinal);
        Assert.Equal("", await errors);
        Assert.Equal(1, process.ExitCode);
    }

    /// <summary>Runs a service of one worker to its end; the exit code, and what the defaults said critically.</summary>
    private static async Task<(int ExitCode, IEnumerable<string> Said)> RunAsync(
        Func<CancellationToken, Task> work,
        bool stopped = false,
        IHostedService? startsLast = null
    )
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
            if (startsLast is not null)
                builder.Services.AddSingleton(startsLast);
            using var host = builder.Build();
            var failFast = host.Services.GetRequiredService<FailFast>();
            var logs = host.Services.GetFakeLogCollector();
            await host.StartAsync().WaitAsync(Patience);
            await host.Services.GetServices<IHostedService>().OfType<ServiceWorker>().Single().Begun.WaitAsync(Patience);
            if (stopped)
                await host.StopAsync().WaitAsync(Patience);
            else
                await host.WaitForShutdownAsync().WaitAsync(Patience);
            Assert.Equal(failFast.ExitCode == 1 ? 1 : before, Environment.ExitCode);
            var said = logs.GetSnapshot().Where(line => line.Level == LogLevel.Critical && line.Category == typeof(FailFast).FullName);
            return (failFast.ExitCode, said.Select(line => line.Message));
        }
        finally
        {
            Environment.ExitCode = before;
        }
    }

    private sealed class ServiceWorker(Func<CancellationToken, Task> work) : BackgroundService
    {
        private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>One that is stopped before a thread took it up never begins.</summary>
        public Task Begun => begun.Task;

        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            begun.SetResult();
            return work(stoppingToken);
        }
    }

    /// <summary>Has not started before a worker has thrown and the host has had time to see it.</summary>
    private sealed class SlowStart(Task threw) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await threw.WaitAsync(Patience, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>Is asked to stop in the midst of its start.</summary>
    private sealed class StoppedStart(IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            return Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
