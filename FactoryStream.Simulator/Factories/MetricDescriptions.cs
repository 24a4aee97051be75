using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Serialization;

namespace FactoryStream.Simulator.Factories;

/// <summary>Tells the Dashboard what the engines' metrics are, those that nobody has described; repeats until it answers.</summary>
internal sealed class MetricDescriptions(HttpClient client, Uri dashboard, string token, TimeProvider time)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1),
        LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>Describes the metrics; what people have said of them stays. Again is harmless.</summary>
    /// <param name="metrics">The metrics.</param>
    /// <param name="waiting">Told why it is not done yet, before each repetition.</param>
    /// <param name="cancellationToken">Ends the repetitions.</param>
    /// <returns>Why the Dashboard will not; null: it is done.</returns>
    public async Task<string?> DescribeAsync(
        IEnumerable<DescribedMetric> metrics,
        Action<string> waiting,
        CancellationToken cancellationToken
    )
    {
        foreach (var metric in metrics)
        {
            for (var wait = FirstWait; ; wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, LongestWait.Ticks)))
            {
                var (isDone, why) = await TryAsync(metric, cancellationToken);
                if (isDone && why is not null)
                    return why;
                if (isDone)
                    break;
                waiting(why!);
                await Task.Delay(wait, time, cancellationToken);
            }
        }
        return null;
    }

    private async Task<(bool IsDone, string? Why)> TryAsync(DescribedMetric metric, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Put,
                new Uri(dashboard, $"api/metrics/{Uri.EscapeDataString(metric.Name)}")
            );
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            request.Content = JsonContent.Create(metric, DescriptionJson.Default.DescribedMetric);
            using var response = await client.SendAsync(request, cancellationToken);
            // 409: somebody has described it.
            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.Conflict)
                return (true, null);
            return (
                !Enrolment.IsWorthRepeating(response.StatusCode),
                $"the Dashboard at {dashboard} answers {(int)response.StatusCode} to what {metric.Name} is"
            );
        }
        catch (Exception exception)
            when (exception is HttpRequestException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return (false, $"the Dashboard at {dashboard} does not respond: {exception.Message}");
        }
    }
}

/// <summary>What a metric is, as the Dashboard's <c>PUT /api/metrics/{name}</c> takes it.</summary>
internal sealed record DescribedMetric([property: JsonIgnore] string Name, string Unit, string Description);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DescribedMetric))]
internal sealed partial class DescriptionJson : JsonSerializerContext;
