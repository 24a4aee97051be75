using System.Globalization;
using System.Text;

namespace FactoryStream.Dashboard.Pipeline;

/// <summary>The beginning of what is too long to be shown whole.</summary>
/// <param name="Text">At most <see cref="MaxBytes"/> of it.</param>
/// <param name="Bytes">How long it is.</param>
internal readonly record struct BoundedText(string Text, int Bytes)
{
    public const int MaxBytes = 4_096;

    public bool IsCut => Bytes > MaxBytes;

    /// <summary>Bytes that are mostly UTF-8; what is not is replaced.</summary>
    public static BoundedText Of(ReadOnlySpan<byte> bytes) =>
        new(Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MaxBytes)]), bytes.Length);

    public override string ToString() => IsCut ? string.Create(CultureInfo.InvariantCulture, $"{Text}… ({Bytes:N0} bytes)") : Text;
}
