namespace FactoryStream.Tests.House;

/// <summary>The rules of the house find what they are to find.</summary>
public sealed class SynonymTests
{
    [Theory]
    [InlineData("Judge", "judge")]
    [InlineData("Judge", "JudgedAt")]
    [InlineData("Judge", "IsJudging")]
    [InlineData("Settle", "isSettled")]
    [InlineData("Tally", "RequestTallies")]
    [InlineData("HeardAll", "WasHeardAllAt")]
    [InlineData("Books", "GetBooks")]
    [InlineData("Kick", "HTTPKick")]
    public void A_word_is_found_in_all_its_forms(string word, string identifier) => Assert.True(new Synonym(word, "").IsIn(identifier));

    [Theory]
    [InlineData("Judge", "Adjudged")]
    [InlineData("Settle", "Settings")]
    [InlineData("Weigh", "Weight")]
    [InlineData("Books", "Bookmark")]
    [InlineData("HeardAll", "AllHeard")]
    public void Part_of_another_word_is_not_that_word(string word, string identifier) =>
        Assert.False(new Synonym(word, "").IsIn(identifier));

    [Fact]
    public void Code_is_what_is_neither_comment_nor_text()
    {
        string[] lines =
        [
            "a(\"no\\\"no\"); // no",
            "b($\"no {c(\"no\", d):F0} {{no}} {e}\"); /* no",
            "no */ f(@\"no\"\"no\"\"\"); g('\"', '\\'', h);",
            "i($$\"\"\"{\"no\": {{j}}, {no}}\"\"\"); k(\"\", l);",
            "m(\"\"\"",
            "    no \"no\" {no}",
            "    \"\"\"u8, n);",
        ];

        Assert.Equal(
            ["a", "b", "c", "d", "F0", "e", "f", "g", "h", "i", "j", "k", "l", "m", "u8", "n"],
            CSharpCode.Identifiers(CSharpCode.Of(lines))
        );
    }
}
