namespace FactoryStream.Simulator;

/// <summary>
/// Where Ingest and Verifier are: as given, else as the AppHost sets it (<c>services__ingest__http__0</c>), else their usual ports on this
/// machine.
/// </summary>
internal sealed record Addresses(Uri Ingest, Uri Verifier)
{
    public static Addresses From(IConfiguration configuration, string? ingest, string? verifier) =>
        new(
            Find(configuration, "ingest", ingest, "http://localhost:8001"),
            Find(configuration, "verifier", verifier, "http://localhost:8000")
        );

    private static Uri Find(IConfiguration configuration, string name, string? given, string usual)
    {
        var address = given ?? configuration[$"services:{name}:http:0"] ?? configuration[$"services:{name}:https:0"] ?? usual;
        // The trailing slash keeps a path, as of a reverse proxy, when "readings" is appended.
        return Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new UsageException($"'{address}' is no address of {name}: it should look like {usual}.");
    }
}
