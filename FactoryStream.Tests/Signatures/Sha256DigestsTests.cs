using System.Security.Cryptography;
using FactoryStream.Signatures;

namespace FactoryStream.Tests.Signatures;

public sealed class Sha256DigestsTests
{
    [Fact]
    public void Every_length_and_every_place_in_the_batch_gets_its_own_digest()
    {
        var random = new Random(3);
        foreach (var count in new[] { 0, 1, 2, 7, 15, 16, 17, 31, 33, 300 })
        {
            var inputs = new ReadOnlyMemory<byte>[count];
            for (var i = 0; i < count; i++)
            {
                var bytes = new byte[count == 300 ? i : random.Next(700)];
                random.NextBytes(bytes);
                inputs[i] = bytes;
            }

            var digests = new byte[32 * count];
            Sha256Digests.Hash(inputs, digests);
            Assert.Equal(inputs.SelectMany(input => SHA256.HashData(input.Span)), digests);
        }
    }

    [Fact]
    public void Too_little_room_is_an_error() =>
        Assert.Throws<ArgumentException>(() => Sha256Digests.Hash(new ReadOnlyMemory<byte>[2], new byte[63]));
}
