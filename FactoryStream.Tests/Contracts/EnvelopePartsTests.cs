using System.Text;
using FactoryStream.Contracts;

namespace FactoryStream.Tests.Contracts;

public sealed class EnvelopePartsTests
{
    [Theory]
    [InlineData("""{"data": { "rpm" : 1 }, "signature": "AAEC", "key_id": "k"}""", """{ "rpm" : 1 }""", "000102", "k")]
    [InlineData("""{"signature":"_-8","batch":[{"a":1}, 2]}""", """[{"a":1}, 2]""", "ffef", null)]
    // What else is wrong does not matter, and of two the first counts.
    [InlineData("""{"x":[{"data":{}}],"data":{"a":"\ud800"},"data":{},"signature":"no base64!"}""", """{"a":"\ud800"}""", null, null)]
    [InlineData("""{"data":{"a":1},"signature":"AAEC","key_id":"\ud800"}""", """{"a":1}""", "000102", null)]
    [InlineData("""{"data":{"a":1},"signature":"AAEC""", """{"a":1}""", null, null)]
    [InlineData("""{"data":{"a":1""", "", null, null)]
    [InlineData("""{"data":7,"batch":{},"signature":null}""", "", null, null)]
    [InlineData("""["data",{}]""", "", null, null)]
    [InlineData("", "", null, null)]
    public void The_parts_of_an_envelope_are_found_whatever_is_wrong_with_it(string line, string data, string? signature, string? keyId)
    {
        var parts = EnvelopeParts.Find(Encoding.UTF8.GetBytes(line));

        Assert.Equal(
            (data, signature, keyId),
            (
                Encoding.UTF8.GetString(parts.Data.Span),
                parts.Signature is null ? null : Convert.ToHexStringLower(parts.Signature),
                parts.KeyId
            )
        );
    }

    [Fact]
    public void A_line_of_nothing_but_brackets_has_no_parts()
    {
        Assert.Equal(default, EnvelopeParts.Find(Encoding.UTF8.GetBytes("""{"data":""" + new string('[', 60_000))));
    }
}
