using System.Text.Json;

namespace FactoryStream.Tests.Distributed;

/// <summary>A row of the ledger, as the Dashboard shows it.</summary>
internal sealed record Ledger(
    long Accepted,
    long Stored,
    long Duplicates,
    Dictionary<string, long> Rejected,
    Dictionary<string, long> Refused,
    long Backlog,
    long Redriven = 0
)
{
    /// <summary>A factory's entry in the answer of <c>/api/books</c>, or null while there is none.</summary>
    public static Ledger? Of(JsonElement answer, string factoryId)
    {
        foreach (var factory in answer.GetProperty("factories").EnumerateArray())
        {
            if (factory.GetProperty("factory_id").GetString() != factoryId)
                continue;
            return new Ledger(
                factory.GetProperty("accepted").GetInt64(),
                factory.GetProperty("stored").GetInt64(),
                factory.GetProperty("duplicates").GetInt64(),
                factory.GetProperty("rejected").EnumerateObject().ToDictionary(reason => reason.Name, reason => reason.Value.GetInt64()),
                factory.GetProperty("refused").EnumerateObject().ToDictionary(reason => reason.Name, reason => reason.Value.GetInt64()),
                factory.GetProperty("backlog").GetInt64(),
                factory.GetProperty("redriven").GetInt64()
            );
        }
        return null;
    }

    /// <summary>What the third invariant asks of every factory.</summary>
    public void AssertBalanced() => Assert.Equal(Accepted, Stored + Duplicates + Rejected.Values.Sum() + Backlog);
}
