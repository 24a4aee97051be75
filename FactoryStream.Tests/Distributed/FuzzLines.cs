using System.Text;
using System.Text.Json;
using FactoryStream.Signatures;
using FactoryStream.Tests.Fuzz;

namespace FactoryStream.Tests.Distributed;

/// <summary>Mutants, with good lines of other factories between them. The same seed gives the same mutants. Not thread-safe.</summary>
internal sealed class FuzzLines(ReadingSigner signer, FuzzLedger ledger, int seed)
{
    /// <summary>How many factories send the good lines: <c>neighbour_0</c> and on.</summary>
    public const int Neighbours = 4;

    /// <summary>A good line comes with so many mutants.</summary>
    public const int MutantsPerNeighbour = 20;

    /// <summary>One in so many mutants is signed again by its factory's key, so that odd readings get beyond the Verifier.</summary>
    private const int MutantsPerSigned = 12;

    private readonly Mutator mutator = new(seed);

    /// <summary>Of the same seed.</summary>
    public Random Random { get; } = new(seed);

    /// <summary>A body of so many mutants, as a source sends it.</summary>
    public byte[] Stream(int count)
    {
        var body = new MemoryStream();
        for (var line = 0; line < count; line++)
            Write(body, line, "\n");
        ledger.AddMutants(count);
        return body.ToArray();
    }

    /// <summary>A mutant, with a good line before it now and then.</summary>
    public void Write(MemoryStream body, int line, string lineEnd)
    {
        if (line % MutantsPerNeighbour == 0)
        {
            body.Write(Neighbour());
            body.Write("\n"u8);
        }
        body.Write(Next());
        body.Write(Encoding.ASCII.GetBytes(lineEnd));
    }

    public byte[] Next()
    {
        var mutant = mutator.Next();
        if (Random.Next(MutantsPerSigned) != 0 || EnvelopeOracle.Read(mutant) is not { } envelope)
            return mutant;
        var data = Encoding.UTF8.GetBytes(envelope.Data);
        var signature = new byte[signer.SignatureLength];
        signer.Sign(data, signature);
        return
        [
            .. envelope.IsBatch ? "{\"batch\":"u8 : "{\"data\":"u8,
            .. data,
            .. ",\"signature\":\""u8,
            .. Encoding.ASCII.GetBytes(Convert.ToBase64String(signature)),
            .. "\"}"u8,
        ];
    }

    /// <summary>One that is an object or array of JSON, so that it cannot swallow the elements behind it.</summary>
    public byte[] NextJson()
    {
        while (true)
        {
            var mutant = Next().AsSpan().Trim(" \t\r\n"u8).ToArray();
            try
            {
                using var document = JsonDocument.Parse(mutant);
                if (document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                    return mutant;
            }
            catch (JsonException)
            {
                // The next one, then.
            }
        }
    }

    /// <summary>A good reading.</summary>
    public byte[] Neighbour()
    {
        var number = ledger.AddNeighbour();
        var measuredAt = new DateTime(2026, 1, 7, 0, 0, 0, DateTimeKind.Utc).AddMilliseconds(number * 100);
        return Encoding.UTF8.GetBytes(
            RunningSystem.Sign(signer, $"neighbour_{number % Neighbours}", $"e{number % 7}", measuredAt, number % 1_000)
        );
    }
}
