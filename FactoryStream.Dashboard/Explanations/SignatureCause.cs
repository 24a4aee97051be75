namespace FactoryStream.Dashboard.Explanations;

/// <summary>One way in which a machine signs otherwise than it is checked, and what to change in the machine.</summary>
/// <param name="Name">As answers have it, e.g. <c>pkcs1_v1_5</c>.</param>
/// <param name="Advice">What is so, and what to change: one sentence.</param>
internal sealed record SignatureCause(string Name, string Advice)
{
    public static readonly SignatureCause Pkcs1 = new("pkcs1_v1_5", "The signature is RSASSA-PKCS1-v1_5; sign with RSASSA-PSS, SHA-256.");
    public static readonly SignatureCause Sha1 = OtherHash("sha1", "SHA-1");
    public static readonly SignatureCause Sha384 = OtherHash("sha384", "SHA-384");
    public static readonly SignatureCause Sha512 = OtherHash("sha512", "SHA-512");
    public static readonly SignatureCause Mgf1Sha1 = OtherMask("mgf1_sha1", "SHA-1");
    public static readonly SignatureCause Mgf1Sha256 = new(
        "mgf1_sha256",
        "The mask generation function MGF1 uses SHA-256, the signature another hash; use SHA-256 for both."
    );
    public static readonly SignatureCause Mgf1Sha384 = OtherMask("mgf1_sha384", "SHA-384");
    public static readonly SignatureCause Mgf1Sha512 = OtherMask("mgf1_sha512", "SHA-512");
    public static readonly SignatureCause TrailingLineFeed = new(
        "trailing_line_feed",
        "A line feed behind the data was signed with it; sign the bytes as they are sent, without the line's end."
    );
    public static readonly SignatureCause TrailingCarriageReturn = new(
        "trailing_carriage_return",
        "A carriage return and a line feed behind the data were signed with it; sign the bytes as they are sent, without the line's end."
    );
    public static readonly SignatureCause NoWhiteSpace = new(
        "no_white_space",
        "The JSON was signed without white space but sent with some; write it once, sign those bytes and send the same."
    );
    public static readonly SignatureCause SpacesAfterSeparators = new(
        "spaces_after_separators",
        "The JSON was signed with a space behind every comma and colon, as Python's json.dumps writes it, but sent otherwise; "
            + "write it once, sign those bytes and send the same."
    );
    public static readonly SignatureCause MembersSorted = new(
        "members_sorted",
        "The JSON was signed with its members sorted by name but sent in another order; write it once, sign those bytes and send the same."
    );
    public static readonly SignatureCause HashedTwice = new(
        "hashed_twice",
        "The SHA-256 of the data was signed as if it were the data; hand the data itself to the signing function, which hashes it."
    );
    public static readonly SignatureCause HexHashedTwice = new(
        "hex_hashed_twice",
        "The SHA-256 of the data in hexadecimal digits was signed as if it were the data; hand the data itself to the signing function, "
            + "which hashes it."
    );
    public static readonly SignatureCause ReversedBytes = new(
        "reversed_bytes",
        "The signature's bytes are in reversed order; send them with the most significant first, as RFC 8017 has them."
    );
    public static readonly SignatureCause DoubleBase64 = new("double_base64", "The signature is base64 of base64; encode its bytes once.");
    public static readonly SignatureCause Hexadecimal = new(
        "hexadecimal",
        "The signature is in hexadecimal digits; encode its bytes in base64."
    );
    public static readonly SignatureCause OtherKeyNamed = new(
        "other_key_named",
        "The envelope's key_id names another key of the factory than the one that signed; name the one that signed, or none."
    );
    public static readonly SignatureCause OtherFactorysKey = new(
        "other_factorys_key",
        "The key that signed is enrolled for another factory; sign with this factory's private key, or enrol this one's public key."
    );

    /// <summary>All that is tried, in the order in which answers list it.</summary>
    public static readonly IReadOnlyList<SignatureCause> All =
    [
        Pkcs1,
        Sha1,
        Sha384,
        Sha512,
        Mgf1Sha1,
        Mgf1Sha256,
        Mgf1Sha384,
        Mgf1Sha512,
        TrailingLineFeed,
        TrailingCarriageReturn,
        NoWhiteSpace,
        SpacesAfterSeparators,
        MembersSorted,
        HashedTwice,
        HexHashedTwice,
        ReversedBytes,
        DoubleBase64,
        Hexadecimal,
        OtherKeyNamed,
        OtherFactorysKey,
    ];

    private static SignatureCause OtherHash(string name, string hash) =>
        new(name, $"The signature's hash is {hash}; sign with RSASSA-PSS, SHA-256.");

    private static SignatureCause OtherMask(string name, string hash) =>
        new(
            name,
            $"The mask generation function MGF1 uses {hash}; set it to SHA-256 as well "
                + "(in Java by PSSParameterSpec, MGF1ParameterSpec.SHA256)."
        );
}
