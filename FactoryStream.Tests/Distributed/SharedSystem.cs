namespace FactoryStream.Tests.Distributed;

/// <summary>One system for all tests that leave it as they found it.</summary>
public sealed class SharedSystem : IAsyncLifetime
{
    private RunningSystem? system;

    internal RunningSystem RunningSystem => system ?? throw new InvalidOperationException("not started");

    public async Task InitializeAsync() => system = await RunningSystem.StartAsync();

    public async Task DisposeAsync()
    {
        if (system is not null)
            await system.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class DistributedTests : ICollectionFixture<SharedSystem>
{
    public const string Name = "distributed";
}
