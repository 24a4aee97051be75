using FactoryStream.Tests.Storage;

namespace FactoryStream.Tests.Browser;

/// <summary>The pages in one browser, with a PostgreSQL of their own, so that they run beside the other tests that need one.</summary>
[CollectionDefinition(Name)]
public sealed class BrowserTests : ICollectionFixture<PostgresFixture>, ICollectionFixture<BrowserFixture>
{
    public const string Name = "Browser";
}
