namespace FactoryStream.Dashboard.Explanations;

/// <summary>The answer of <c>/api/rejections/{id}/explanation</c>.</summary>
/// <param name="Outcome"><c>found</c>: a try holds; <c>valid</c>: the signature is right as it is; <c>nothing_found</c>;
/// <c>nothing_to_check</c>: what is kept has no whole <c>data</c> and signature.</param>
/// <param name="Sentence">What to change in the machine, for a person.</param>
/// <param name="KeyId">The key that signed; null: none of those tried.</param>
/// <param name="FactoryId">The factory of that key.</param>
/// <param name="KeysTried">How many enrolled keys were tried, the factory's own first.</param>
/// <param name="Tries">All that was tried, and what of it holds.</param>
internal sealed record ExplanationResponse(
    string Outcome,
    string Sentence,
    string? KeyId,
    string? FactoryId,
    int KeysTried,
    IReadOnlyList<ExplanationTry> Tries
);

/// <summary>One way of signing otherwise, e.g. <c>pkcs1_v1_5</c>, and whether it is what this machine does.</summary>
internal sealed record ExplanationTry(string Name, bool Holds);

/// <summary>An explanation; or how long to wait for one, for too many are asked for; or neither: there is no such rejection.</summary>
internal readonly record struct ExplanationAttempt(ExplanationResponse? Explanation, TimeSpan? RetryAfter)
{
    public const string TooMany = "Too many explanations are asked for; ask again in a moment.";
}
