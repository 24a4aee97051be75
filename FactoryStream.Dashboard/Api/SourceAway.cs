using System.Data.Common;
using Confluent.Kafka;
using Microsoft.AspNetCore.Diagnostics;

namespace FactoryStream.Dashboard.Api;

/// <summary>A request that needs the database or Kafka while they do not answer gets 503: the client is not to blame and may come again.</summary>
internal sealed class SourceAway(IProblemDetailsService problems) : IExceptionHandler
{
    public const string RetryAfter = "1";
    public const string Database = "The database does not answer.";

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var detail = exception switch
        {
            DbException or InvalidOperationException { InnerException: DbException } => Database,
            KafkaException or TimeoutException => "Kafka does not answer.",
            _ => null,
        };
        if (detail is null)
            return false;
        httpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        httpContext.Response.Headers.RetryAfter = RetryAfter;
        return await problems.TryWriteAsync(new() { HttpContext = httpContext, ProblemDetails = { Status = StatusCodes.Status503ServiceUnavailable, Detail = detail } });
    }
}
