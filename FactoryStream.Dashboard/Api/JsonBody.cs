using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>Bodies of requests, with a bound on their size and words for what is wrong with them.</summary>
internal static class JsonBody
{
    // A thousand hashes are 70 kB, however they are laid out.
    private const long MaxBytes = 1 << 20;

    /// <summary>Reads a request's body.</summary>
    /// <param name="request">The request.</param>
    /// <param name="type">What the body is read as.</param>
    /// <param name="expected">The body in words or as a sample, for whoever sent another.</param>
    /// <param name="cancellation">Ends the wait for the client.</param>
    /// <returns>The value, or the answer to give instead.</returns>
    public static async Task<(T? Value, ProblemHttpResult? Problem)> ReadAsync<T>(
        HttpRequest request,
        JsonTypeInfo<T> type,
        string expected,
        CancellationToken cancellation
    )
        where T : class
    {
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBytes;
        try
        {
            return (await JsonSerializer.DeserializeAsync(request.Body, type, cancellation), null);
        }
        catch (JsonException exception)
        {
            return (null, Problem(StatusCodes.Status400BadRequest, $"body: expected {expected}; {exception.Message}"));
        }
        catch (BadHttpRequestException exception)
        {
            return (null, Problem(exception.StatusCode, $"body: at most {MaxBytes} bytes; {exception.Message}"));
        }
    }

    private static ProblemHttpResult Problem(int status, string detail) => TypedResults.Problem(detail, statusCode: status);
}
