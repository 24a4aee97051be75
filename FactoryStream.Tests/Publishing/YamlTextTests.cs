using System.Text.Json.Nodes;
using FactoryStream.AppHost.Publishing;

namespace FactoryStream.Tests.Publishing;

/// <summary>What the app model says, as YAML: every text is read as the text it was.</summary>
public sealed class YamlTextTests
{
    [Theory]
    [InlineData("plain", "v: plain\n")]
    [InlineData("true", "v: \"true\"\n")]
    [InlineData("8080", "v: \"8080\"\n")]
    [InlineData("", "v: \"\"\n")]
    [InlineData("a: b", "v: \"a: b\"\n")]
    [InlineData("off", "v: \"off\"\n")]
    public void A_text_is_read_back_from_yaml_as_the_same_text(string text, string yaml) =>
        Assert.Equal(yaml, YamlText.Write(new JsonObject { ["v"] = text }));

    [Fact]
    public void Maps_lists_and_comments_stand_below_their_keys() =>
        Assert.Equal(
            """
            # Of a.
            a:
              # Of b.
              b:
                - x
                - "2"
                - 3
              c: {}
              d: []
              "2e": true

            """,
            YamlText.Write(
                JsonNode.Parse("""{ "a": { "b": ["x", "2", 3], "c": {}, "d": [], "2e": true } }""")!.AsObject(),
                new Dictionary<string, string> { ["a"] = "Of a.", ["a.b"] = "Of b." }
            )
        );

    [Fact]
    public void A_value_that_has_no_form_in_yaml_is_an_error()
    {
        Assert.Throws<ArgumentException>(() => YamlText.Write(new JsonObject { ["v"] = null }));
        Assert.Throws<ArgumentException>(() => YamlText.Write(JsonNode.Parse("""{ "v": [{ "a": 1 }] }""")!.AsObject()));
    }
}
