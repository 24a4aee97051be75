using System.Data.Common;
using Confluent.Kafka;
using FactoryStream.Dashboard.Books;
using Microsoft.AspNetCore.Diagnostics;

namespace FactoryStream.Dashboard.Api;

/// <summary>A request that needs what does not answer just now gets 503: the client is not to blame and may come again.</summary>
internal sealed class Unavailable(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (Describe(exception) is not { } detail)
            return false;
        httpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        httpContext.Response.Headers.RetryAfter = "2";
        return await problems.TryWriteAsync(new()
        {
            HttpContext = httpContext,
            ProblemDetails = { Status = StatusCodes.Status503ServiceUnavailable, Detail = detail },
        });
    }

    /// <summary>What is away, in words; null for what is no such failure.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        DbException or InvalidOperationException { InnerException: DbException } => "The database does not answer.",
        KafkaException => "Kafka does not answer.",
        TailTooLongException => exception.Message,
        _ => null,
    };
}
