namespace FactoryStream.Dashboard;

/// <summary>What became of changing a row that others may change as well.</summary>
/// <param name="Row">The row as it is now; null: it is not changed.</param>
/// <param name="IsOther">It is of another version than the one that was to be changed; else, without a row, there is none.</param>
internal readonly record struct RowChange<T>(T? Row, bool IsOther)
    where T : class
{
    /// <summary>What is said to whoever would have written over it.</summary>
    /// <param name="what">The row in words, e.g. <c>the rule</c>.</param>
    public static string Meanwhile(string what) => $"Somebody else has changed {what} meanwhile; read it again, then change it.";
}
