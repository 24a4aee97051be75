using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace FactoryStream.Tests;

/// <summary>What requests.http shows is what the services serve.</summary>
public sealed partial class RequestsTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(SharedData.Root, "requests.http"));

    private static readonly string[] Services = ["Ingest", "Verifier", "Dashboard", "Aggregator"];

    [Fact]
    public void Every_example_is_signed_with_the_key_that_the_examples_enrol()
    {
        using var enrolled = RSA.Create();
        var bodies = Lines.Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        enrolled.ImportSubjectPublicKeyInfo(bodies[0].GetProperty("public_key").GetBytesFromBase64(), out _);
        var signed = 0;

        foreach (var body in bodies.Where(body => body.TryGetProperty("signature", out var text) && text.GetString() != "AAAA"))
        {
            var data = body.TryGetProperty("batch", out var batch) ? batch : body.GetProperty("data");
            using var own = RSA.Create();
            var isEnrolment = data.ValueKind == JsonValueKind.Object && data.TryGetProperty("public_key", out _);
            if (isEnrolment)
                own.ImportSubjectPublicKeyInfo(data.GetProperty("public_key").GetBytesFromBase64(), out _);
            Assert.True(
                (isEnrolment ? own : enrolled).VerifyData(
                    Encoding.UTF8.GetBytes(data.GetRawText()),
                    body.GetProperty("signature").GetBytesFromBase64(),
                    HashAlgorithmName.SHA256,
                    RSASignaturePadding.Pss
                ),
                data.GetRawText()
            );
            signed++;
        }

        Assert.Equal(6, signed);
    }

    [Fact]
    public void Every_address_that_a_service_maps_has_an_example()
    {
        var examples = Lines
            .Select(line => Example().Match(line))
            .Where(match => match.Success)
            .Select(match => $"{match.Groups["verb"].Value} {match.Groups["path"].Value}")
            .ToArray();

        var mapped = Services.SelectMany(Mapped).ToArray();

        Assert.Contains("POST /readings", mapped);
        Assert.Contains("DELETE /keys/{keyId}", mapped);
        Assert.DoesNotContain(mapped, address => !Array.Exists(examples, Pattern(address).IsMatch));
    }

    /// <summary>
    /// What a service's sources map, by verb and path: <c>keys.MapDelete("/{keyId}", ...)</c> of <c>MapGroup("/keys")</c>.
    /// </summary>
    private static IEnumerable<string> Mapped(string service)
    {
        var sources = Directory
            .EnumerateDirectories(Path.Combine(SharedData.Root, $"FactoryStream.{service}"))
            .Where(folder => Path.GetFileName(folder) is not ("bin" or "obj"))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*Endpoints.cs", SearchOption.AllDirectories));
        foreach (var source in sources.Select(File.ReadAllText))
        {
            var groups = Group().Matches(source).ToDictionary(match => match.Groups["name"].Value, match => match.Groups["path"].Value);
            foreach (var match in Map().Matches(source).Cast<Match>())
            {
                var path = groups.GetValueOrDefault(match.Groups["name"].Value, "") + match.Groups["path"].Value;
                yield return $"{match.Groups["verb"].Value.ToUpperInvariant()} {path.TrimEnd('/')}";
            }
        }
    }

    private static Regex Pattern(string address) => new($"^{Parameter().Replace(address, "[^/]+")}$");

    [GeneratedRegex(@"^(?<verb>GET|POST|PUT|DELETE) \{\{\w+\}\}(?<path>/[^?]*?)(\?.*)?$")]
    private static partial Regex Example();

    [GeneratedRegex(@"var (?<name>\w+) = routes\.MapGroup\(""(?<path>[^""]+)""\)")]
    private static partial Regex Group();

    [GeneratedRegex(@"(?<name>\w+)\s*\.Map(?<verb>Get|Post|Delete|Put)\(""(?<path>[^""]+)""")]
    private static partial Regex Map();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
