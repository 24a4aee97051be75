namespace FactoryStream.Simulator;

/// <summary>Something that the caller can put right (a file, an option, an address); its message is all that is shown.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
