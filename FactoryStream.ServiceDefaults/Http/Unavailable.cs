using System.Data.Common;
using System.Globalization;
using Confluent.Kafka;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.ServiceDefaults.Http;

/// <summary>A request that needs a server that does not respond gets 503: the fault is not the client's, which may try again.</summary>
/// <param name="problems">Writes the problem (RFC 9457) that is the answer.</param>
public sealed class Unavailable(IProblemDetailsService problems) : IExceptionHandler
{
    /// <summary>How long a client is asked to wait where a service has no option for it.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (Describe(exception) is not { } detail)
            return false;
        httpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        httpContext.Response.AskToRetryAfter(RetryAfter);
        return await problems.TryWriteAsync(
            new() { HttpContext = httpContext, ProblemDetails = { Status = StatusCodes.Status503ServiceUnavailable, Detail = detail } }
        );
    }

    /// <summary>What is away, in words for the client; null for what is no such failure.</summary>
    /// <param name="exception">What ended the request.</param>
    public static string? Describe(Exception exception) =>
        exception switch
        {
            DbException or InvalidOperationException { InnerException: DbException } => "The database does not respond; try again later.",
            KafkaException => "Kafka does not respond; try again later.",
            NotNowException => exception.Message,
            _ => null,
        };
}

/// <summary>A request cannot be served at the moment; the message gives the client the reason.</summary>
/// <param name="message">The reason, in words for the client.</param>
public class NotNowException(string message) : Exception(message);

/// <summary>Answers that ask the client to come again after a while.</summary>
public static class RetryAfterExtensions
{
    /// <summary>Sets <c>Retry-After</c>, in whole seconds, rounded up.</summary>
    /// <param name="response">The answer; its headers must not be sent yet.</param>
    /// <param name="wait">How long the client is to wait.</param>
    public static void AskToRetryAfter(this HttpResponse response, TimeSpan wait) =>
        response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    /// <summary>A problem (RFC 9457) with <c>Retry-After</c>.</summary>
    /// <param name="context">The request that is answered so.</param>
    /// <param name="status">The HTTP status: 429 or 503.</param>
    /// <param name="detail">The reason, in words for the client.</param>
    /// <param name="wait">How long the client is to wait.</param>
    public static ProblemHttpResult NotNow(this HttpContext context, int status, string detail, TimeSpan wait)
    {
        context.Response.AskToRetryAfter(wait);
        return TypedResults.Problem(detail, statusCode: status);
    }
}
