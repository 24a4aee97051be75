namespace FactoryStream.Aggregator.Anomalies;

/// <summary>
/// The numbers of the anomaly score. All were chosen by the reasons given here before anything was measured; none was fitted to a label.
/// </summary>
internal static class AnomalyRules
{
    /// <summary>Readings that an engine is learned from: some seven minutes at one a second.</summary>
    public const int LearnedReadings = 400;

    /// <summary>
    /// Readings whose median is what counts. A lone disturbed sample is the sensor's and not the machine's; a state that is the machine's
    /// lasts some seconds. So one or two odd readings say nothing, and the third does: well within a window of ten seconds.
    /// </summary>
    public const int MedianReadings = 5;

    /// <summary>Of a limit by theory: the share of normal readings that may be beyond it.</summary>
    public const double FalseAlarms = 0.001;

    /// <summary>Of a limit by quantile: the share of the learned readings that are within it, before the allowance.</summary>
    public const double Quantile = 0.99;

    /// <summary>
    /// A limit by quantile is half as far again as the quantile: an engine is seldom quite the same later as in the first minutes.
    /// Distances are squared, hence 1.5 * 1.5.
    /// </summary>
    public const double Allowance = 2.25;

    /// <summary>Principal components are kept until they explain this share of the variance: a usual choice of textbooks.</summary>
    public const double ExplainedVariance = 0.85;

    /// <summary>
    /// How far back a window's score is learned from: 360 windows, as many as the readings above. Long enough for what a machine does
    /// several times an hour, short enough to follow a day that grows warm. A correction changes alerts no further back.
    /// </summary>
    public static readonly TimeSpan LearnedTime = TimeSpan.FromHours(1);

    /// <summary>
    /// Below so many windows, five minutes, there is no score: the spread of a sample of thirty is known to about an eighth, textbooks
    /// take no fewer.
    /// </summary>
    public const int LeastWindows = 30;

    /// <summary>
    /// A window's limit is so many times the distance of the quartiles beyond the upper one: Tukey's outer fence, "Exploratory Data
    /// Analysis" (1977). Not the quantile above: of 360 windows four of an anomaly would be the limit and clear the alert of their own
    /// accord. Quartiles bear up to a quarter of the windows.
    /// </summary>
    public const double FenceQuartiles = 3;

    /// <summary>
    /// The limit of a window is at least so many spreads: what Iglewicz and Hoaglin (1993) call an outlier. So an engine whose metrics
    /// hardly change does not raise an alert with each twitch.
    /// </summary>
    public const double LeastWindowLimit = 3.5;
}
