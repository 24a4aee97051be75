using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FactoryStream.Simulator.Factories;

/// <summary>Makes a factory's public key known to the Verifier; repeats until it answers.</summary>
internal sealed class Enrolment(HttpClient client, Uri verifier, string? adminToken, TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250),
        LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>Enrols the key; again is harmless. Without an admin token it is enough that the Verifier knows the key already.</summary>
    /// <param name="factoryId">Whose key it is.</param>
    /// <param name="publicKeyPem">The key.</param>
    /// <param name="waiting">Told why it is not done yet, before each repetition.</param>
    /// <param name="giveUpAfter">How long to repeat while there is no answer; null: until cancelled.</param>
    /// <param name="cancellationToken">Ends the repetitions.</param>
    /// <exception cref="UsageException">The Verifier says no, or did not answer in time.</exception>
    public async Task EnrolAsync(
        string factoryId,
        string publicKeyPem,
        Action<string>? waiting,
        TimeSpan? giveUpAfter,
        CancellationToken cancellationToken
    )
    {
        var started = time.GetTimestamp();
        for (var wait = FirstWait; ; wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, LongestWait.Ticks)))
        {
            var why = await TryAsync(factoryId, publicKeyPem, cancellationToken);
            if (why is null)
                return;
            if (giveUpAfter is { } limit && time.GetElapsedTime(started) > limit)
                throw new UsageException($"{factoryId} could not be enrolled within {limit.TotalSeconds:0} s: {why}");
            waiting?.Invoke(why);
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    /// <returns>Null when done, else why it is worth another try.</returns>
    private async Task<string?> TryAsync(string factoryId, string publicKeyPem, CancellationToken cancellationToken)
    {
        try
        {
            if (string.IsNullOrEmpty(adminToken))
                return await IsKnownAsync(factoryId, publicKeyPem, cancellationToken);
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(verifier, "keys"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", adminToken);
            request.Content = JsonContent.Create(new EnrolmentRequest(factoryId, publicKeyPem), EnrolmentJson.Default.EnrolmentRequest);
            using var response = await client.SendAsync(request, cancellationToken);
            if (response.IsSuccessStatusCode)
                return null;
            if (IsWorthRepeating(response.StatusCode))
                return $"the Verifier at {verifier} answers {(int)response.StatusCode}";
            throw new UsageException(
                response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
                    ? $"The Verifier at {verifier} does not take this admin token (--admin-token, Simulator:AdminToken)."
                    : $"The Verifier at {verifier} will not enrol {factoryId}: {(int)response.StatusCode} "
                        + $"{await response.Content.ReadAsStringAsync(cancellationToken)}"
            );
        }
        catch (Exception exception)
            when (exception is HttpRequestException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return $"the Verifier at {verifier} does not respond: {exception.Message}";
        }
    }

    private async Task<string?> IsKnownAsync(string factoryId, string publicKeyPem, CancellationToken cancellationToken)
    {
        using var response = await client.GetAsync(
            new Uri(verifier, $"public-key?factory_id={Uri.EscapeDataString(factoryId)}"),
            cancellationToken
        );
        if (IsWorthRepeating(response.StatusCode))
            return $"the Verifier at {verifier} answers {(int)response.StatusCode}";
        if (response.IsSuccessStatusCode)
        {
            var answer = await response.Content.ReadFromJsonAsync(EnrolmentJson.Default.JsonElement, cancellationToken);
            if (
                answer.TryGetProperty("public-key", out var known)
                && known.GetString()?.ReplaceLineEndings().Trim() == publicKeyPem.ReplaceLineEndings().Trim()
            )
                return null;
        }
        throw new UsageException(
            $"The key of {factoryId} is not enrolled, and enrolling needs the admin token (--admin-token, Simulator:AdminToken)."
        );
    }

    /// <summary>Whether the same request may be taken later.</summary>
    internal static bool IsWorthRepeating(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout || (int)status >= 500;
}

internal sealed record EnrolmentRequest(string FactoryId, string PublicKey);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EnrolmentRequest))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class EnrolmentJson : JsonSerializerContext;
