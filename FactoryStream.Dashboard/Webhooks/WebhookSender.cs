using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>What came of one attempt.</summary>
/// <param name="Status">The answer's HTTP status; null: there was none.</param>
/// <param name="Error">Why it was no delivery; null: it was one.</param>
internal readonly record struct AttemptOutcome(int? Status, string? Error);

/// <summary>
/// Sends one message: follows no redirect, keeps no cookie, reads no answer's body, takes no longer than allowed, and connects to no
/// address that is not allowed, whatever a name means at that moment.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    // What is left of an answer is read so far, so that its connection serves again; else it is closed.
    private const int MaxAnswerBytes = 16 << 10;

    private readonly WebhookOptions options;
    private readonly TimeProvider time;
    private readonly HttpClient client;

    public WebhookSender(IOptions<WebhookOptions> options, TimeProvider time)
    {
        (this.options, this.time) = (options.Value, time);
        // None of the factory's clients: those try again by themselves and look for names of services.
        client = new HttpClient(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                // A proxy would connect in our place, and nobody would look at the address.
                UseProxy = false,
                MaxResponseDrainSize = MaxAnswerBytes,
                MaxResponseHeadersLength = MaxAnswerBytes >> 10,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                ConnectCallback = ConnectAsync,
            }
        )
        {
            Timeout = this.options.Timeout,
        };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("FactoryStream", null));
    }

    /// <summary>Sends a delivery once.</summary>
    public async Task<AttemptOutcome> SendAsync(DueDelivery delivery, CancellationToken cancellation)
    {
        var body = WebhookMessage.Of(delivery.DeliveryNo, delivery.Entry, delivery.Alert, options.PublicAddress).ToJson();
        var timestamp = time.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, delivery.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add(WebhookSignature.DeliveryHeader, delivery.DeliveryNo.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(WebhookSignature.TimestampHeader, timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Of(delivery.Secret, timestamp, body));
        try
        {
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            var status = (int)answer.StatusCode;
            return new(
                status,
                answer.IsSuccessStatusCode
                    ? null
                    : string.Create(CultureInfo.InvariantCulture, $"answered {status}, expected 200 to 299; redirects are not followed")
            );
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new(null, string.Create(CultureInfo.InvariantCulture, $"no answer within {options.Timeout.TotalSeconds:0.#} s"));
        }
        catch (HttpRequestException exception)
        {
            return new(null, exception.GetBaseException().Message);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellation);
        // What is looked at is what is connected to: a name that means another address a moment later changes nothing.
        var allowed = options.AllowPrivateAddresses ? addresses : Array.FindAll(addresses, PublicAddresses.Contain);
        if (allowed.Length == 0)
            throw new HttpRequestException(
                $"{context.DnsEndPoint.Host} is no address of the public network; {WebhookOptions.Section}:AllowPrivateAddresses allows "
                    + "others"
            );
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Dispose() => client.Dispose();
}
