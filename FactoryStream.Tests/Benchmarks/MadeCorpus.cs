using FactoryStream.Benchmarks.Load;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Benchmarks;

/// <summary>A corpus that was signed for a test, with the keys it was signed by.</summary>
internal sealed record MadeCorpus(TemporaryFolder Folder, ReadingSigner[] Signers, Corpus Corpus) : IDisposable
{
    public static async Task<MadeCorpus> MakeAsync(CorpusPlan plan, int readingsPerPost)
    {
        var folder = new TemporaryFolder();
        var signers = Enumerable.Range(0, plan.Factories).Select(_ => ReadingSigner.Create()).ToArray();
        var file = new FileStream(Path.Combine(folder.Path, "corpus"), FileMode.Create, FileAccess.ReadWrite);
        try
        {
            await CorpusWriter.WriteAsync(plan, signers, file, null, CancellationToken.None);
            return new MadeCorpus(folder, signers, Corpus.Open(file, plan, readingsPerPost));
        }
        catch
        {
            await file.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Corpus.Dispose();
        Folder.Dispose();
        foreach (var signer in Signers)
            signer.Dispose();
    }
}
