using System.Text.Json.Nodes;
using FactoryStream.AppHost.Publishing.Helm;
using k8s.Models;

namespace FactoryStream.Tests.Publishing;

/// <summary>Typed objects become Helm templates without a template ever being pasted together.</summary>
public sealed class HelmTextTests
{
    [Fact]
    public void A_text_without_values_is_itself() => Assert.Equal("verifier", new HelmTokens().Text("verifier"));

    [Fact]
    public void Texts_around_values_are_one_quoted_scalar() =>
        Assert.Equal("""{{ printf "100%% http://%v:80" .Values.host | quote }}""", ("100% http://" + HelmString.Of(".Values.host") + ":80").ToScalarTemplate());

    [Fact]
    public void A_choice_evaluates_and_quotes_the_chosen_branch_alone() =>
        Assert.Equal(
            """{{ if .Values.own }}"a:1"{{ else }}{{ printf "%v:1" (required "host?" .Values.host) | quote }}{{ end }}""",
            (HelmString.Choose(".Values.own", "a", HelmString.Required(".Values.host", "host?")) + ":1").ToScalarTemplate());

    [Fact]
    public async Task Numbers_maps_and_entries_stand_where_typed_objects_have_room_for_them()
    {
        var chart = new HelmChart("c", "1.0.0", "");
        using var folder = new TemporaryFolder();
        chart.Add("a", "b", new V1ConfigMap
        {
            Metadata = new V1ObjectMeta { Name = "a", Annotations = chart.Tokens.Map(".Values.annotations"), Generation = chart.Tokens.Number(".Values.generation") },
            Data = new Dictionary<string, string> { ["x"] = chart.Tokens.TextIf(".Values.x", HelmString.Of(".Values.x")), [chart.Tokens.Entries(".Values.more")] = "" },
        }, ".Values.enabled");
        await chart.WriteAsync(folder.Path, CancellationToken.None);
        Assert.Equal(
            """
            {{- /* Written by the AppHost's publish command; changes made here are lost. */ -}}
            {{- if .Values.enabled }}
            metadata:
              name: a
              {{- if .Values.annotations }}
              annotations: {{ toJson .Values.annotations }}
              {{- end }}
              generation: {{ .Values.generation | int }}
            data:
              {{- if .Values.x }}
              x: {{ .Values.x | quote }}
              {{- end }}
              {{- range $key, $value := .Values.more }}
              {{ $key }}: {{ if kindIs "string" $value }}{{ quote $value }}{{ else }}{{ toJson $value | quote }}{{ end }}
              {{- end }}
            {{- end }}

            """, await File.ReadAllTextAsync(Path.Combine(folder.Path, "templates", "a", "b.yaml")));
    }

    [Theory]
    [InlineData("plain", "v: plain\n")]
    [InlineData("true", "v: \"true\"\n")]
    [InlineData("8080", "v: \"8080\"\n")]
    [InlineData("", "v: \"\"\n")]
    [InlineData("a: b", "v: \"a: b\"\n")]
    [InlineData("off", "v: \"off\"\n")]
    public void A_text_stays_a_text_in_yaml(string text, string yaml) => Assert.Equal(yaml, YamlText.Write(new JsonObject { ["v"] = text }));

    [Fact]
    public void A_token_within_a_longer_text_is_a_mistake()
    {
        var tokens = new HelmTokens();
        var text = $"http://{tokens.Text(HelmString.Of(".Values.host"))}";
        Assert.Throws<InvalidOperationException>(() => YamlText.Write(new JsonObject { ["v"] = text }, tokens));
    }

    [Fact]
    public void A_value_declared_twice_must_be_the_same()
    {
        var values = new HelmValues();
        Assert.Equal(values.Number("a.b", 1, "B."), values.Number("a.b", 1, "B."));
        Assert.Throws<ArgumentException>(() => values.Number("a.b", 2, "B."));
        Assert.Throws<ArgumentException>(() => values.Number("a.with-dash", 2, "B."));
    }
}
