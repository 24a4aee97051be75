using System.Data.Common;
using Microsoft.AspNetCore.Diagnostics;

namespace FactoryStream.Verifier;

/// <summary>A request that needs the database while it does not answer gets 503: the client is not to blame and may come again.</summary>
internal sealed class DatabaseAway(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not (DbException or InvalidOperationException { InnerException: DbException }))
            return false;
        httpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        httpContext.Response.Headers.RetryAfter = "1";
        return await problems.TryWriteAsync(new()
        {
            HttpContext = httpContext,
            ProblemDetails = { Status = StatusCodes.Status503ServiceUnavailable, Detail = "The database does not answer." },
        });
    }
}
