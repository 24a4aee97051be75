using System.ComponentModel.DataAnnotations;

namespace FactoryStream.Dashboard.Webhooks;

/// <summary>How webhooks are told of alerts; section <c>Dashboard:Webhooks</c>.</summary>
internal sealed class WebhookOptions : IValidatableObject
{
    public const string Section = "Dashboard:Webhooks";

    /// <summary>
    /// Whether a webhook may be on this machine or in a private network. Default false: whoever may make a webhook reaches nothing by it
    /// that only the Dashboard reaches.
    /// </summary>
    public bool AllowPrivateAddresses { get; set; }

    /// <summary>The Dashboard's address as receivers reach it, to which links in messages lead. Default: none, and then links are
    /// paths.</summary>
    public Uri? PublicAddress { get; set; }

    /// <summary>Longest that one attempt may take, from the look-up of the name to the answer's headers. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause after the first attempt that failed; each next pause is about twice as long, up to an hour. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a delivery is tried before it is dead. Default 24 hours.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "30.00:00:00")]
    public TimeSpan RetryFor { get; set; } = TimeSpan.FromHours(24);

    /// <summary>When another Dashboard may send what one has begun to send: long after that one has given up.</summary>
    public TimeSpan Lease => (2 * Timeout) + TimeSpan.FromSeconds(5);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (PublicAddress is not null && !WebhookRequest.IsHttp(PublicAddress))
            yield return new($"{Section}:PublicAddress: expected an address of http or https, found '{PublicAddress}'.");
    }
}
