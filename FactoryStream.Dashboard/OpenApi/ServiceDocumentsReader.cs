using FactoryStream.ServiceDefaults.Http;

namespace FactoryStream.Dashboard.OpenApi;

/// <summary>The OpenAPI documents of the other services, each by its own address.</summary>
internal sealed class ServiceDocumentsReader(IHttpClientFactory clients)
{
    /// <summary>The other services that have one, by the names that service discovery has for them.</summary>
    public static readonly IReadOnlyList<string> Services = ["ingest", "verifier", "aggregator"];

    /// <summary>Where every service shows its own.</summary>
    public const string OwnPath = "/openapi/v1.json";

    /// <summary>The document as the service wrote it, JSON.</summary>
    /// <param name="service">One of <see cref="Services"/>.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="NotNowException">The service does not respond, or with something else.</exception>
    public async Task<string> ReadAsync(string service, CancellationToken cancellation)
    {
        using var client = clients.CreateClient(nameof(ServiceDocumentsReader));
        try
        {
            return await client.GetStringAsync(new Uri($"http://{service}{OwnPath}"), cancellation);
        }
        catch (Exception exception)
            when (exception is HttpRequestException || (exception is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new NotNowException(
                $"The {service} does not show its OpenAPI document ({exception.Message}). See that it runs; the Dashboard finds it by "
                    + $"services__{service}__http__0."
            );
        }
    }
}
