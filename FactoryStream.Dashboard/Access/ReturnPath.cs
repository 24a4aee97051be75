namespace FactoryStream.Dashboard.Access;

/// <summary>Where a person wanted to go before the sign-in.</summary>
internal static class ReturnPath
{
    /// <summary>A page of this Dashboard: an address of another site, which a link from elsewhere may name, is not followed.</summary>
    public static string Of(string? text) => text is ['/', not ('/' or '\\'), ..] && !text.Any(char.IsControl) ? text : "/";
}
