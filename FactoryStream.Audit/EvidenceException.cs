namespace FactoryStream.Audit;

/// <summary>Why evidence cannot be checked or archived (a file, a key, the database); its message is all that is shown.</summary>
internal sealed class EvidenceException(string message, Exception? inner = null) : Exception(message, inner);
