using FactoryStream.Dashboard.Rejections;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FactoryStream.Dashboard.Api;

/// <summary>What is wrong with what was asked: each fault has the same words at every address.</summary>
internal static class QueryProblem
{
    public const string Cursor = "cursor: expected the next_cursor of a page, found another text.";

    public static string Limit(int most) => $"limit: expected a number from 1 to {most}, found another.";

    public static string Name(string member) => $"{member}: expected text of 1 to 128 characters without control characters";

    public static string Reason(string found) => $"reason: expected {string.Join(", ", RejectionsReader.Reasons)}, found '{found}'";

    /// <summary>400, with what was expected and found.</summary>
    public static ProblemHttpResult BadRequest(string detail) => TypedResults.Problem(detail, statusCode: StatusCodes.Status400BadRequest);
}
