using System.Buffers;
using FactoryStream.Dashboard.Receipts;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>What became of a reading, for whoever knows its bytes.</summary>
internal static class ReceiptsEndpoints
{
    /// <summary>Most hashes of one request.</summary>
    private const int MaxHashes = 1_000;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    public static void MapReceipts(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Dashboard");
        api.MapGet("/receipts/{sha256}", ReceiptAsync)
            .WithName("GetReceipt")
            .WithSummary(
                "What became of a reading, by the SHA-256 (64 hexadecimal digits) of the exact bytes of its data: stored, rejected, "
                    + "refused, pending (not seen, but accepted readings are on the way) or unknown. measured_at, "
                    + "the reading's time or its day (2026-02-25), makes it fast."
            )
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        api.MapPost("/receipts", ReceiptsAsync)
            .WithName("FindReceipts")
            .WithSummary("The same for up to 1,000 readings: a receipt for each sha256, in their order; measured_at is that of all.")
            .Accepts<ReceiptsRequest>("application/json")
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<Results<Ok<Receipt>, ProblemHttpResult>> ReceiptAsync(
        ReceiptsReader receipts,
        string sha256,
        CancellationToken cancellationToken,
        string? measured_at = null
    )
    {
        if (!IsHash(sha256))
            return QueryProblem.BadRequest(ExpectedHash("sha256", sha256));
        if (!QueryTime.TryParseSpan(measured_at, out var measured, out var error))
            return QueryProblem.BadRequest($"measured_at: {error}");
        return TypedResults.Ok((await receipts.ReadAsync([Convert.FromHexString(sha256)], measured, cancellationToken))[0]);
    }

    private static async Task<Results<Ok<ReceiptsResponse>, ProblemHttpResult>> ReceiptsAsync(
        HttpRequest request,
        ReceiptsReader receipts,
        CancellationToken cancellationToken
    )
    {
        const string Sample = """{"sha256": ["..."], "measured_at": "optional"}""";
        var (asked, problem) = await JsonBody.ReadAsync(request, ApiJson.Default.ReceiptsRequest, Sample, cancellationToken);
        if (problem is not null)
            return problem;
        if (asked?.Sha256 is not { Count: > 0 and <= MaxHashes } texts)
            return QueryProblem.BadRequest($"sha256: expected 1 to {MaxHashes} texts, found {asked?.Sha256?.Count ?? 0}");
        for (var i = 0; i < texts.Count; i++)
        {
            if (!IsHash(texts[i]))
                return QueryProblem.BadRequest(ExpectedHash($"sha256[{i}]", texts[i]));
        }
        if (!QueryTime.TryParseSpan(asked.MeasuredAt, out var measured, out var error))
            return QueryProblem.BadRequest($"measured_at: {error}");
        var hashes = texts.Select(text => Convert.FromHexString(text!)).ToArray();
        return TypedResults.Ok(new ReceiptsResponse(await receipts.ReadAsync(hashes, measured, cancellationToken)));
    }

    internal static bool IsHash(string? text) => text?.Length == 64 && text.AsSpan().IndexOfAnyExcept(HexDigits) < 0;

    internal static string ExpectedHash(string name, string? found) =>
        $"{name}: expected 64 hexadecimal digits, found "
        + (
            found is null ? "null"
            : found.Length > 100 ? $"'{found[..100]}…'"
            : $"'{found}'"
        );
}
