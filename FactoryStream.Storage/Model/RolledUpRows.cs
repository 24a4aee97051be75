namespace FactoryStream.Storage;

/// <summary>One engine's metrics in one minute.</summary>
public sealed class MinuteRow : WindowColumns;

/// <summary>One engine's metrics in one hour.</summary>
public sealed class HourRow : WindowColumns;

/// <summary>One engine's metrics in one day of UTC.</summary>
public sealed class DayRow : WindowColumns;
