namespace FactoryStream.Storage;

/// <summary>An engine's metrics in a closed window of ten seconds; the view <c>factory.windows</c> shows a row for each metric.</summary>
public sealed class WindowRow : WindowColumns;
