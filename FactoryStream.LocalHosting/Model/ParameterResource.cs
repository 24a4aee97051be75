using System.Security.Cryptography;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value that is given to the application from outside.</summary>
public class ParameterResource(string name, ParameterDefault? @default, bool secret) : Resource(name), IValueProvider
{
    private readonly TaskCompletionSource<string> value = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What it is if nobody gives it.</summary>
    public ParameterDefault? Default { get; } = @default;

    /// <summary>Whether it is masked, and kept in no place where others can read it.</summary>
    public bool Secret { get; } = secret;

    /// <summary>What it is for.</summary>
    public string? Description { get; set; }

    /// <inheritdoc />
    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => await value.Task.WaitAsync(cancellationToken);

    internal void Resolve(string resolved) => value.TrySetResult(resolved);

    internal void Fail(Exception exception) => value.TrySetException(exception);
}

/// <summary>What a parameter is if nobody gives it.</summary>
public abstract class ParameterDefault
{
    /// <summary>The value.</summary>
    public abstract string GetDefaultValue();
}

internal sealed class FixedParameterDefault(string value) : ParameterDefault
{
    public override string GetDefaultValue() => value;
}

/// <summary>A random value.</summary>
public sealed class GenerateParameterDefault : ParameterDefault
{
    /// <summary>Its least length.</summary>
    public int MinLength { get; set; } = 22;

    /// <summary>Whether it has small letters.</summary>
    public bool Lower { get; set; } = true;

    /// <summary>Whether it has capitals.</summary>
    public bool Upper { get; set; } = true;

    /// <summary>Whether it has digits.</summary>
    public bool Numeric { get; set; } = true;

    /// <summary>Whether it has other characters.</summary>
    public bool Special { get; set; } = true;

    /// <inheritdoc />
    public override string GetDefaultValue()
    {
        var alphabet = (Lower ? "abcdefghijkmnpqrstuvwxyz" : "") + (Upper ? "ABCDEFGHJKLMNPQRSTUVWXYZ" : "") + (Numeric ? "23456789" : "") + (Special ? "-_.{}~()*+!" : "");
        // 6 bits a character at best, and 128 bits are wanted at least.
        return RandomNumberGenerator.GetString(alphabet, Math.Max(MinLength, 22));
    }
}
