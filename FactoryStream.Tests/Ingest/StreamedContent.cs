using System.Net;
using System.Text;

namespace FactoryStream.Tests.Ingest;

/// <summary>A body that comes piece by piece, the second and later ones when the gate opens.</summary>
internal sealed class StreamedContent(IEnumerable<string> pieces, Task? gate = null) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var isFirst = true;
        foreach (var piece in pieces)
        {
            if (!isFirst && gate is not null)
                await gate;
            isFirst = false;
            await stream.WriteAsync(Encoding.UTF8.GetBytes(piece));
            await stream.FlushAsync();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
