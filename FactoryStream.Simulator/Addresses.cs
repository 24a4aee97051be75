namespace FactoryStream.Simulator;

/// <summary>
/// Where Ingest and Verifier are: as given, else as the AppHost sets it (<c>services__ingest__http__0</c>), else their usual ports on this
/// machine. The Dashboard only as the AppHost sets it: a plant may have none.
/// </summary>
internal sealed record Addresses(Uri Ingest, Uri Verifier, Uri? Dashboard)
{
    public static Addresses From(IConfiguration configuration, string? ingest, string? verifier) =>
        new(
            Find(configuration, "ingest", ingest, "http://localhost:8001"),
            Find(configuration, "verifier", verifier, "http://localhost:8000"),
            Told(configuration, "dashboard") is { } dashboard ? Find(configuration, "dashboard", dashboard, "http://localhost:8003") : null
        );

    private static string? Told(IConfiguration configuration, string name) =>
        configuration[$"services:{name}:http:0"] ?? configuration[$"services:{name}:https:0"];

    private static Uri Find(IConfiguration configuration, string name, string? given, string usual)
    {
        var address = given ?? Told(configuration, name) ?? usual;
        // The trailing slash keeps a path, as of a reverse proxy, when "readings" is appended.
        return Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            ? uri
            : throw new UsageException($"'{address}' is no address of {name}: it should look like {usual}.");
    }
}
