using FactoryStream.Tests.AppHost;
using FactoryStream.Tests.Browser;
using FactoryStream.Tests.Distributed;
using FactoryStream.Tests.Storage;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("FactoryStream.Tests.LongestFirst", "FactoryStream.Tests")]

namespace FactoryStream.Tests;

/// <summary>
/// Whole systems spend most of their time waiting, and the fast tests most of theirs computing: the long ones begin first, so that the fast
/// ones fill what they leave of the machine, and none is left alone at the end.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long =
    [
        DistributedTests.Name,
        BrowserTests.Name,
        DatabaseTests.Name,
        nameof(AppHostCrashTests),
        nameof(FuzzTests),
        nameof(ScalingTests),
        nameof(SecuredKafkaTests),
        nameof(ServerDataTests),
        nameof(SupervisionTests),
        nameof(AppHostProgramTests),
        nameof(AspireDashboardTests),
    ];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection =>
            Array.FindIndex(Long, name => collection.DisplayName.EndsWith(name, StringComparison.Ordinal)) is >= 0 and var place
                ? place
                : Long.Length
        );
}
