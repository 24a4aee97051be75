using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace FactoryStream.ServiceDefaults.Http;

/// <summary>What every HTTP API of FactoryStream has.</summary>
public static class ApiDefaults
{
    /// <summary>JSON in snake_case, errors as problems (RFC 9457), 503 while the database or Kafka is away.</summary>
    /// <param name="services">The service's registrations; added to.</param>
    /// <param name="contracts">The source-generated JSON metadata of the API's types.</param>
    public static IServiceCollection AddApiDefaults(this IServiceCollection services, JsonSerializerContext contracts)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            // The context's metadata is used, but the options here say how.
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.NumberHandling = contracts.Options.NumberHandling;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, contracts);
        });
        services.AddProblemDetails();
        services.AddExceptionHandler<Unavailable>();
        return services;
    }
}
