using Aspire.Hosting;
using FactoryStream.LocalHosting.Publishing;

namespace FactoryStream.Tests.Publishing;

/// <summary>The command line is Aspire's.</summary>
public sealed class PublishRequestTests
{
    [Theory]
    [InlineData("--operation publish --step publish --output-path /out", PublishFormat.HelmChart)]
    [InlineData("--operation publish --output-path /out", PublishFormat.HelmChart)]
    [InlineData("--publisher manifest --output-path /out", PublishFormat.Manifest)]
    [InlineData("--operation publish --publisher manifest --output-path /out", PublishFormat.Manifest)]
    internal void A_publish_command_says_what_and_where(string line, PublishFormat format)
    {
        Assert.True(PublishRequest.IsIn(line.Split(' ')));
        Assert.Equal(new PublishRequest(format, "/out"), PublishRequest.Of(line.Split(' ')));
    }

    [Theory]
    [InlineData("")]
    [InlineData("--operation run")]
    [InlineData("--simulator false")]
    public void Anything_else_runs_the_application(string line) => Assert.False(PublishRequest.IsIn(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Theory]
    [InlineData("--operation publish --step publish", "--output-path is missing")]
    [InlineData("--operation publish --step deploy --output-path /out", "not 'deploy'")]
    [InlineData("--publisher kustomize --output-path /out", "not 'kustomize'")]
    [InlineData("--operation run --publisher manifest --output-path /out", "not 'run'")]
    public void A_wrong_command_is_refused_by_what_is_wrong(string line, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<DistributedApplicationException>(() => PublishRequest.Of(line.Split(' '))).Message, StringComparison.Ordinal);
}
