using Confluent.Kafka;
using FactoryStream.Contracts;
using FactoryStream.ServiceDefaults.Http;
using FactoryStream.ServiceDefaults.Kafka;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>Asks Kafka who is in the Verifier's and the Aggregator's consumer group.</summary>
internal sealed class GroupsReader(KafkaConnection kafka) : IDisposable
{
    private readonly IAdminClient admin = kafka.QuietAdmin(new AdminClientConfig());

    /// <exception cref="KafkaException">The broker is away.</exception>
    /// <exception cref="NotNowException">The broker does not tell.</exception>
    public async Task<IReadOnlyList<GroupState>> ReadAsync() =>
        // The calls block, each at most as long as the other.
        await Task.WhenAll(Task.Run(() => Read(TopicNames.VerifierGroup)), Task.Run(() => Read(TopicNames.AggregatorGroup)));

    private GroupState Read(string group)
    {
        GroupInfo? found;
        try
        {
            found = admin.ListGroup(group, TopicLogsReader.Patience);
        }
        catch (KafkaException exception) when (exception.Error.Code == ErrorCode.Local_UnsupportedFeature)
        {
            throw new NotNowException("This broker does not tell who is in its groups; Apache Kafka does.");
        }
        if (found is null)
            return new(group, "Dead", []);
        if (found.Error.IsError)
            throw new KafkaException(found.Error);
        return new(
            group,
            found.State,
            [
                .. found
                    .Members.Select(one => new GroupMember(
                        one.ClientId,
                        one.ClientHost.TrimStart('/'),
                        MemberAssignment.Parse(one.MemberAssignment)
                    ))
                    .OrderBy(one => one.ClientId, StringComparer.Ordinal)
                    .ThenBy(one => one.Host, StringComparer.Ordinal),
            ]
        );
    }

    public void Dispose() => admin.Dispose();
}
