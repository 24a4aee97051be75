using FactoryStream.Contracts;
using FactoryStream.Ingest.Backpressure;
using FactoryStream.Ingest.Topics;
using Microsoft.Extensions.ObjectPool;
using Microsoft.Extensions.Options;

namespace FactoryStream.Ingest.Http;

/// <summary>Lends readers and the parsers they share: as many as are at work at once, not as many as there are connections.</summary>
internal sealed class RequestReaderPool(
    SignedTopicWriter signed,
    RejectedTopicWriter refused,
    Backlog backlog,
    IOptions<IngestOptions> options,
    TimeProvider time
)
{
    private readonly ObjectPool<RequestReader> readers = new DefaultObjectPool<RequestReader>(
        new Policy<RequestReader>(
            Parsers(new Policy<ReadingParser>(() => new ReadingParser())),
            parsers => new RequestReader(signed, refused, backlog, parsers, options.Value, time)
        ),
        256
    );

    public RequestReader Get() => readers.Get();

    /// <summary>Only when its delivery has completed.</summary>
    public void Return(RequestReader reader)
    {
        reader.Splitter.Reset();
        reader.Envelopes.Reset();
        readers.Return(reader);
    }

    private static DefaultObjectPool<ReadingParser> Parsers(Policy<ReadingParser> policy) => new(policy, Environment.ProcessorCount * 2);

    private sealed class Policy<T>(Func<T> create) : PooledObjectPolicy<T>
        where T : notnull
    {
        public Policy(ObjectPool<ReadingParser> parsers, Func<ObjectPool<ReadingParser>, T> create)
            : this(() => create(parsers)) { }

        public override T Create() => create();

        public override bool Return(T obj) => true;
    }
}
