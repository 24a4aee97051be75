namespace FactoryStream.Storage;

/// <summary>An address that is told what happens to alerts.</summary>
public sealed class WebhookRow
{
    /// <summary>Given by the database.</summary>
    public int WebhookNo { get; set; }

    /// <summary>Where to send it: http or https.</summary>
    public required string Url { get; set; }

    /// <summary>Signs what is sent; never shown again.</summary>
    public required string Secret { get; set; }

    /// <summary>False: nothing is sent, and no delivery is written.</summary>
    public bool IsEnabled { get; set; }

    /// <summary>Of which alerts it is told: names of <see cref="AlertSeverity"/>.</summary>
    public required string[] Severities { get; set; }

    /// <summary>What it is for.</summary>
    public string? Description { get; set; }

    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; set; }

    /// <summary>UTC.</summary>
    public DateTime CreatedAt { get; set; }

    /// <summary>1, and one more with each change.</summary>
    public int Version { get; set; }
}
