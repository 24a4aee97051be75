using System.Net.Mime;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.OpenApi;

/// <summary>The APIs of all services, for people and programs.</summary>
internal static class OpenApiEndpoints
{
    public const string Page = "/openapi";

    public static void AddOpenApiPage(this WebApplicationBuilder builder)
    {
        builder.Services.AddOpenApi();
        builder.Services.AddSingleton<ServiceDocumentsReader>();
        builder.Services.AddReadingClient(nameof(ServiceDocumentsReader));
    }

    /// <summary>
    /// <c>/openapi</c>: a page that shows the documents; <c>/openapi/v1.json</c>: the Dashboard's own; <c>/openapi/ingest.json</c> and so
    /// on: those of the others, read from them now.
    /// </summary>
    public static void MapOpenApiPage(this WebApplication app)
    {
        app.UseSwaggerUI(page =>
        {
            page.RoutePrefix = Page.TrimStart('/');
            page.DocumentTitle = "FactoryStream API";
            // Relative to the page, which may stand under a reverse proxy's path.
            page.SwaggerEndpoint("v1.json", "dashboard");
            foreach (var service in ServiceDocumentsReader.Services)
                page.SwaggerEndpoint($"{service}.json", service);
            // It could send to the Dashboard alone, and as nobody: the other services are other origins, and a token is not known to it.
            page.SupportedSubmitMethods();
            // The page's files are its own; nothing is fetched from elsewhere to judge a document.
            page.ConfigObject.ValidatorUrl = null;
        });
        app.MapOpenApi();
        foreach (var service in ServiceDocumentsReader.Services)
        {
            app.MapGet(
                    $"{Page}/{service}.json",
                    async Task<ContentHttpResult> (ServiceDocumentsReader documents, CancellationToken cancellation) =>
                        TypedResults.Text(await documents.ReadAsync(service, cancellation), MediaTypeNames.Application.Json, Encoding.UTF8)
                )
                .ExcludeFromDescription();
        }
    }
}
