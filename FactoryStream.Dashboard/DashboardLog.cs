namespace FactoryStream.Dashboard;

/// <summary>All that the Dashboard logs. Never a payload.</summary>
internal sealed partial class DashboardLog(ILogger<DashboardLog> logger)
{
    [LoggerMessage(
        1,
        LogLevel.Information,
        "Listening for closed windows; {Engines} engines, loaded in {Milliseconds} ms.",
        EventName = nameof(Listening)
    )]
    public partial void Listening(int engines, long milliseconds);

    [LoggerMessage(
        2,
        LogLevel.Warning,
        "The database cannot be reached, so the pages may show old windows; connecting again: {Reason}",
        EventName = nameof(ListenerLost)
    )]
    public partial void ListenerLost(string reason);

    [LoggerMessage(
        3,
        LogLevel.Warning,
        "A notification of {Length} characters does not come from the Aggregator; all engines are read again.",
        EventName = nameof(ForeignNotification)
    )]
    public partial void ForeignNotification(int length);

    [LoggerMessage(
        4,
        LogLevel.Warning,
        "The ledger cannot be read; the pages show the last one: {Reason}",
        EventName = nameof(LedgerUnavailable)
    )]
    public partial void LedgerUnavailable(string reason);

    [LoggerMessage(
        5,
        LogLevel.Warning,
        "The rejections of the last hour cannot be counted; the pages show the last counts: {Reason}",
        EventName = nameof(RejectionsUnavailable)
    )]
    public partial void RejectionsUnavailable(string reason);

    [LoggerMessage(6, LogLevel.Warning, "A sign-in from {Address} with a wrong token was refused.", EventName = nameof(SignInRefused))]
    public partial void SignInRefused(string address);

    [LoggerMessage(7, LogLevel.Warning, "The Verifier does not respond: {Reason}", EventName = nameof(VerifierAway))]
    public partial void VerifierAway(string reason);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "Raised alerts cannot be read; the pages mark engines by the last ones: {Reason}",
        EventName = nameof(AlertsUnavailable)
    )]
    public partial void AlertsUnavailable(string reason);

    [LoggerMessage(
        9,
        LogLevel.Warning,
        "The database cannot be reached, so the pages may show old alerts; connecting again: {Reason}",
        EventName = nameof(AlertsListenerLost)
    )]
    public partial void AlertsListenerLost(string reason);

    [LoggerMessage(10, LogLevel.Information, "Re-drive {RedriveNo} is over; its row says how.", EventName = nameof(RedriveEnded))]
    public partial void RedriveEnded(long redriveNo);

    [LoggerMessage(
        11,
        LogLevel.Warning,
        "The database cannot be reached, so re-drives wait; trying again: {Reason}",
        EventName = nameof(RedrivesUnavailable)
    )]
    public partial void RedrivesUnavailable(string reason);

    [LoggerMessage(
        12,
        LogLevel.Warning,
        "Notifications do not come through to this connection (a pooler of transactions?), so the database is polled every 2 s.",
        EventName = nameof(NotificationsNotHeard)
    )]
    public partial void NotificationsNotHeard();

    [LoggerMessage(
        13,
        LogLevel.Warning,
        "The database cannot be reached, so webhooks are not told of alerts for the moment; nothing is lost: {Reason}",
        EventName = nameof(DeliveriesUnavailable)
    )]
    public partial void DeliveriesUnavailable(string reason);

    [LoggerMessage(
        14,
        LogLevel.Warning,
        "Delivery {Delivery} was sent, but what came of it could not be written, so it is sent again: {Reason}",
        EventName = nameof(OutcomeNotWritten)
    )]
    public partial void OutcomeNotWritten(long delivery, string reason);

    [LoggerMessage(
        15,
        LogLevel.Warning,
        "Delivery {Delivery} to webhook {Webhook} is given up; the page /alerts/webhooks can try it again: {Reason}",
        EventName = nameof(DeliveryDead)
    )]
    public partial void DeliveryDead(long delivery, int webhook, string reason);

    [LoggerMessage(
        16,
        LogLevel.Warning,
        "The database cannot be reached, so the pages may show old units of metrics; connecting again: {Reason}",
        EventName = nameof(UnitsListenerLost)
    )]
    public partial void UnitsListenerLost(string reason);
}
