using System.Text;
using FactoryStream.Contracts;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static FactoryStream.Tests.Contracts.Envelopes;

namespace FactoryStream.Tests.Contracts;

public sealed class ReadingParserValueTests
{
    [Theory]
    [InlineData("QUJD", "QUJD")]
    [InlineData("QU\\nJD", "QUJD")]
    [InlineData("QUJD\\r\\n", "QUJD")]
    [InlineData(" Q U\\tJ D", "QUJD")]
    [InlineData("QQ==", "QQ==")]
    [InlineData("QQ", "QQ==")]
    [InlineData("QQ=", "QQ==")]
    [InlineData("_-8=", "/+8=")]
    [InlineData("_-8", "/+8=")]
    [InlineData("\\/+8=", "/+8=")]
    [InlineData("\\u0051UJD", "QUJD")]
    public void A_signature_is_its_bytes_and_goes_onward_in_one_form(string text, string canonical)
    {
        var (verdict, reading, _, _) = Parse($$"""{"data": {{Data}}, "signature": "{{text}}"}""");
        Assert.Equal((Verdict.Accepted, canonical), (verdict, Encoding.UTF8.GetString(reading.Signature.Span)));
    }

    [Theory]
    [InlineData("Q")]
    [InlineData("Q===")]
    [InlineData("QQ=Q")]
    [InlineData("QUJD=")]
    [InlineData("QUJD====")]
    [InlineData("=")]
    [InlineData(" ")]
    [InlineData("QR==")]
    [InlineData("QUJ==")]
    [InlineData("QU*D")]
    [InlineData("QU\\u0000D")]
    [InlineData("QU\\ud800D")]
    public void A_signature_that_is_not_base64_is_malformed(string text)
    {
        var (verdict, _, detail, _) = Parse($$"""{"data": {{Data}}, "signature": "{{text}}"}""");
        Assert.Equal((Verdict.Malformed, $"signature: expected base64, found '{text}'"), (verdict, detail));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-0")]
    [InlineData("-0.0")]
    [InlineData("0.1")]
    [InlineData("100.49")]
    [InlineData("-273.15")]
    [InlineData("0.00000000000001")]
    [InlineData("999999999999999")]
    [InlineData("1000000000000000")]
    [InlineData("9007199254740993")]
    [InlineData("123456789.1234567890123")]
    [InlineData("1e3")]
    [InlineData("1.5E-7")]
    [InlineData("1.7976931348623157e308")]
    [InlineData("4.9e-324")]
    [InlineData("1e-400")]
    public void A_metric_is_the_double_nearest_to_what_is_written(string number) =>
        Assert.Equal(
            BitConverter.DoubleToInt64Bits(double.Parse(number, System.Globalization.CultureInfo.InvariantCulture)),
            BitConverter.DoubleToInt64Bits(ValueOf(number))
        );

    [Property(MaxTest = 2_000)]
    public Property Any_decimal_is_the_double_nearest_to_what_is_written() =>
        Prop.ForAll(
            Gen.Choose(0, 16)
                .SelectMany(decimals => ArbMap.Default.GeneratorFor<long>().Select(value => (decimals, value % 10_000_000_000_000_000)))
                .ToArbitrary(),
            number =>
            {
                var digits = Math.Abs(number.Item2)
                    .ToString(System.Globalization.CultureInfo.InvariantCulture)
                    .PadLeft(number.decimals + 1, '0');
                var text =
                    (number.Item2 < 0 ? "-" : "")
                    + (number.decimals == 0 ? digits : $"{digits[..^number.decimals]}.{digits[^number.decimals..]}");
                return BitConverter.DoubleToInt64Bits(ValueOf(text))
                    == BitConverter.DoubleToInt64Bits(double.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
            }
        );

    private static double ValueOf(string number) =>
        Parse(Envelope($$"""{"factory_id": "f", "engine_id": "e", "timestamp": "2026-02-25 06:13:20", "m": {{number}}}"""))
            .Metrics.Single()
            .Value;
}
