using System.Diagnostics;
using System.Text;

namespace FactoryStream.Signatures.Backends;

/// <summary>
/// Signatures whose verdict is known, made with OpenSSL's command line (<c>openssl dgst -sha256 -sigopt rsa_padding_mode:pss</c>) by keys
/// that were thrown away: a backend that gets one of them wrong, or is slower than OpenSSL on this machine, is not used at all.
/// </summary>
internal static class KnownAnswers
{
    private static readonly byte[] Data = Encoding.ASCII.GetBytes("FactoryStream known answer");

    private static readonly Lazy<SignatureCheck[]> Answers = new(() =>
        [
            .. Make(
                "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAzpiKIlAvVpBv/z/D3tOPZpiMOx8/36mnuLtEkzFNny7LhVUWBX76fOTo"
                    + "KA4qSIjWa0sHsFC7zPB2IjGNLck5Nw31dzkxo4a9"
                    + "eN3z58ygGVZ5UYqpLp0KNCS0oAjEe6/1LlD0fdq6U7TEWnehBLVgv81mTx8v797eWNBEDSlb50z47sIJ3RKCl61fA3v84mG8VFXy"
                    + "8V7mA1DnhZ+9h/SlFKrRq+xFulpHzhIjAafVA2tk"
                    + "Zg1WIQ/rjxGHTnMlsRhq1o1iD0E1l0G9MMGY1SWPvtHFwx5KuKy/TDyl8k7CB/heB1d7qaA0YtSqyUYh0LAbGNvPgSFpYNxzOmIicgQzSwIDAQAB",
                "Ge28QiDJWaEkMhqJTcH4B4tF1J01NxMNrXOte125aoBUfWTqDa7nA739Reoy7fbUobWXtEVP9qvL5v5vhC09fMWkHVLaLDoFNBmm"
                    + "paAPzqPhelVDW7p/v2HPoxe/dNxn0pXLBeshc/Rh"
                    + "/dV7IgHInzlalD1XTbtGRWJCcoDvf3paMn2c08nduYrlGkkTz0MuA1bskSj7AYoNqsbYj7JvW8fHTKajrds1Qht/AbMbN9/k5W7v"
                    + "GRraZNQwfnCYdt/98+jxOPHyoc572MqovRuHIRmY"
                    + "8OSk2WT5DSQ5wAwGP9JDc7/YOQeLv/3VYsB1ya4YPNhX+DzzigsrPhWiHCrdug==",
                "OCRp7tyNwpKAufQl/hBx7bB98dAj1Q93hEFHHHvTvNkEqta/zF9ZPPpRWhJb3cxPhjstUbURObxAzrCieLH1ME76/Qe9f4yun+hW"
                    + "ceHUgMJtr0IaVxqtsmP0/VPkCKQDOUv9cc9lSHDz"
                    + "qhgR2rY5/joKLcfTcoEJfFrlZ0M4djcoBTOMcfz5XT+YK1T95pzv/3O+TjxzT3D4A96HclkbImwrdhkjGBEsEcTHw2eK12Bjs9AG"
                    + "9hcqwE2i/J5k8gKn9DzVgpM9uU6QUstRV0A0PQAh"
                    + "vkIAbFU9jFqf3m24erNkhvxnJfW6FlBPZLZsY9K3UAQ4a+1sFoLb8AYqhHioPg=="
            ),
            .. Make(
                "MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEA51SVSWxE54t8hb7UMMvO6HQV4wqS2icqrSnHIwl6lUGZKHLmRXButRCJ"
                    + "sxRUFL3CP+MyBY0MftQUexA4QhCbF9zydIAXCoLm"
                    + "vZhP8PHiFqCIH1JlO/rUs/HKfdWa4fQyUvLFb5Bp7S8pmcSl+govQjWlElgj19X95Tqsv4ecsjRLATAvJ4eVbQ+lfJO0rXjQcLpT"
                    + "FcR7JwYEji4IPq9jeP1HZSUSTICWv3hgPUwHxR6Z"
                    + "mORNM0unMCiJnHgHZY2ss8euoxYE7PmT+CVim1TQAnYEIFBHokLLmwEoKL5fvQAc4+X3NsksEyWLzdp7sirvrU3tGmtxwciOcvRh"
                    + "DptTLLcJ0hZd5w4l+kcc4V535DSYldcwxNoWHz49"
                    + "Z/GsTPHVDeuTXuRPtYev1lyL7lgM8F5BNBuFft9PkBnEu6lFzU9BvK8D5DGisx5tclTOVYTi8PEF6tOGh+tOtVbEPdbVVlp3CpEu"
                    + "b7e4Ybw06NIdcQazeIWGc7yVPzg98RXOwKUHAgMB"
                    + "AAE=",
                "dLa2BTn8/kWGh7i93iSse2CCu6ZiF+PiW6Fn17QuV7VCH8c5zj6vIjy2RrEmQlk59efav6zoRKCZVyh8ztDNKQ49qwNwn5grN9Xn"
                    + "guAhlKdkPwH7cNHmQ2hvRO5AG3cizTsnaUoJTS/l"
                    + "AZCgAZ0nmENKmnM8pfho3UVsFTyG+Dd4rqdZN/gKA5QcYlJR5cIJQr022MmGRBUg1uIEFbn8szaZ8jtlcTwZePxJ84GSBNMdNBVl"
                    + "94LXPM8tALzSbhrToVZroxlkY05+bKXKQ+W2O9El"
                    + "0t9Zmb0Qc2KpTSq3iYnld/5sTborfha8y9Inn9syHXRjqsm05zlQ9LuWyXYTaEcf68e0F8t6NgTlbATmVOwYyDOHUos4qlJpsfCL"
                    + "aKabTwpR0RfGB3Drcsx3+RsA8aWejtqFm7FKwqpy"
                    + "pYSe1iHiy5P/q1k5Yrh8Zc+7i9xjnAh7sT91Qu7y5GdvAdwaFtM64e1/3vDsiMhj/wD3/v4Oj6THbs2wQa5PUFT9DTeT",
                "e5hso/yVmxtiLDbPPTsdt3JvtenD+aMVLkK1pQ8KEb+Q4ZTPk+Th8ggUatRbbXvyCZ1IToQhYa2ixlirI9U9gRPgqTGwJaKGxobe"
                    + "xavbsP6C6YpCb2VIZoSuJzr9PbnkNiVjoP5viRJc"
                    + "IdiSaPr0as5vjdwbzfRCG51YRotgRGeIcOhyt3xZ1RygKZUDqbiB1EOz3hFGz8iW4yHtjxuBXcqlMQH0aYOoETiEcBA5oaUypRo+"
                    + "r0kGVQa2/wGlnR/6nuxJsfmcIU6JxjZgRoFIf7Dz"
                    + "ax/jRGBdXgsZuolEaq7+N/w/twRqGnf/KYH+ndoXFuqy5P3kTbb+WXeKJrbcy07rUDiv1k5KmuFlTxLAwsXorgQYHHezpT3Ly/Yt"
                    + "g3IwcxlKWBdIkBmqlDF7MeEzt+23DYdHQdBagG7r"
                    + "aPKhlDBW/5lE9Vdu71l+LLLWUXgTPyjAOWpHNRn5LoIXZb1WeYkoT9W88oJOtPFuAJSb9S6UaYwoC/T7uWWEvvJ6ija8"
            ),
            .. Make(
                "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA1d5KHe9dSgo+r1jqXI8A7JtTyJcXFUazU2bmjQ2Tw6Wet7+h2wHkZPI5"
                    + "1aR0UJh0K2d5moajcrJFhvAnF2ttAlZHDI3XaVAc"
                    + "QajVd+I0KrP6S7yOfw8eKzqiuj7vFFfQoo8pQrQZPCaFdzTA7xGdGnWaq04qd80wA54OLxl2xVTlxjCHLWfudhzRpLXZev/vky2R"
                    + "92PgpWxAOnOxG+xzs8D+WywOjIV3FE/MYr0oxZ3f"
                    + "NqNjE522sFUSSZIKBhL0FpkOPMgUa70+ly1P3H6dXV0oZ6KJFNWcyBeFNj3LbkG4+9ZoiNY1AMlnaRddSTbp4R2V3QRTd6WkcFMb"
                    + "Q8L/a6mNRfterYKhMChIkFn6bMtK2GMd+vt0WmPA"
                    + "AfJxeDQzkHdwDd210tQ2IwMkz5sAMxuteJ5Z/QcMsfnR0v4co+W9/v7D3JsJt+f6PRX3hxJQIF24kB7BRnstmll/9KMK/5kQ1QFs"
                    + "UeXhhpaJJcNeP4xiwLJ1vledXegsxDmqwWtdxPbr"
                    + "nuo/UopWxLel6GNa7yTuQyfOWFoJlpIpBQSyLT9TACXyDR1bS7CQV4916V0ZpDZuaMIns6KUOpWggVpiROlGRVGSpHEw8Ll6clwZ"
                    + "pbLE0rxzTLfrUpInqFbktAWXvzKqGjx6LZElTKsA"
                    + "wXPqLbFzP5/ZuUCnqJwNvRaAFnkCAwEAAQ==",
                "m1CTVJGN3FAv09a8D1GHtkqR5ml9Q9vMKrfW9NHBtJFb8l74liNKoNtwFu8IpwnY4Sy7kSvQw4FjDEacCj/AXCR6fuy55+A+emen"
                    + "Z55n5yGmLmpmAQJ9bd5pgsJY0svF3LgLl93zwOAS"
                    + "3CEPGtg+LSwy+LiB0wAaX+mnkE3v++9/CZIo1gfHIR2eGxNHYMDIx8YwIX4jDL/2x1MvIoBYErRcYZxR2YiFmHgNA7fRMgJQs7xK"
                    + "pU9v7IPxpXFkTESnSeOj9N9GnPWTNBz18UY03Lmt"
                    + "++PrqPOfZ3lO7Y3TjrKHTPo5L/MeJB2nd8uz3ast9r+R0moYTuk63p5RfZUAtWMasI437jytwXWbDSLEP7iQjGd2stHx1WdwXGln"
                    + "HM9EwnELSBcpd4GXtrLp5KZIV3HOfvPXLoLOGDtt"
                    + "24KdC1JIrMmQo3GREAdBy8V2MyOjzJq0PDBxD7n0Jm2+lwkFHb9TQevwQ+NJOivLInehU+JRKXdza5qwGDOjNZJZkqhELZjymT6X"
                    + "CE6VZ8sLa9sHAroO3xgwV7Aa5w3YSrk1hALiUfZ1"
                    + "ifn+uWbQ8aXlHT6outcyHh993K+SosJKIICOndg0SWRAOh+7sMLA8jaCA92pcO/2B79CE3Htdz1yK0Yzam46vAiydHwrpzka/zOy"
                    + "+ZgSEIoyuANKzIlMcFA/u0E=",
                "xNnRvqHKwOcbwhQUDq2j9a7IO6H3WxBhGLCS5NOEoN5X+2azRxWMixZ2LUUxYLbV6saj0ZUVgOKFRnr6igRVux+Ne607QZJjuzD9"
                    + "jtmf/iq2eFhgq58gDSk/IY2DpAy11ude7YQDqP79"
                    + "ueTwkG3z6KghJJMe3wggHKnybcrSrp5M06yIe0wb2i2edBHbU662JhCVJXBjfNVVF0cb9G5BPVEdEGSDyEGWv2Df21pldFzYQWzl"
                    + "m6LPAW1gkvUtuQBfW2y5q+1JqAdIdobLKNBP+3ya"
                    + "A2NPD4FHxzaWLR1QWwOlTx+2EqXHTjuYbS4NlW5oTRStPeUXbW+DdUUu1HHe3Z0m3i3Md0bjXbwJBSHQnnCVmODYc15NHB4GaHK+"
                    + "dEWsKxlAp5sJDeh7Eegz86c1R6lPgebPe2VXpm+p"
                    + "cPN4d5izE/e3GRl5UiUxsR0FPmY9KgHtZrGLOKYClw/jstcEWRjIieEDLc9f8U5j3HdoiXe10SpatomeiRym9/UufQvO3lCQTwpL"
                    + "u2GJfxAGx5MGGm2nIm/VCh2QbXu60zrAnOXztmHx"
                    + "cZqA5fRBBOGFQK612uZRu6Aor8x5ouxMvOwKmWeHkpB0/e4oOnY2gamLX6d2rh2ccRIkJpFWhyu3U92zn20aC5IOgVvX1UWU7tGj"
                    + "eLv0sJ+xHMpKCUKRQgQbP6U="
            ),
        ]
    );

    /// <summary>Says what is wrong with the backend for the usual exponent and the key sizes it supports, or null.</summary>
    public static string? FindFault(ISignatureBackend backend)
    {
        Span<int> indices = stackalloc int[backend.Lanes];
        for (var size = 0; size < Answers.Value.Length; size += 8)
        {
            var answers = Answers.Value.AsSpan(size, 8);
            if (!backend.Supports(answers[0].Key))
                continue;
            backend.TryPrepare(answers[0].Key);
            foreach (var fill in new[] { backend.Lanes, (backend.Lanes + 1) / 2 })
            {
                // Of eight answers the even ones are valid; each turn moves them to other lanes.
                for (var turn = 0; turn < 3; turn++)
                {
                    var expected = 0u;
                    for (var lane = 0; lane < fill; lane++)
                    {
                        indices[lane] = (5 * lane + turn) % 8;
                        expected |= indices[lane] % 2 == 0 ? 1u << lane : 0;
                    }

                    var verdicts = backend.Verify(answers, indices[..fill]);
                    if (verdicts != expected)
                        return $"known answers of {answers[0].Key.KeySizeBits} bits came out as {verdicts:X} instead of {expected:X}";
                }
            }
        }

        return null;
    }

    /// <summary>
    /// Says so when the backend takes longer for all lanes of 2048 bits than OpenSSL, or null. Each is measured a few times and the best
    /// counts.
    /// </summary>
    public static string? FindSlowness(ISignatureBackend backend)
    {
        if (!LibCrypto.IsAvailable)
            return null;
        var answers = Answers.Value.AsSpan(0, 8);
        backend.TryPrepare(answers[0].Key);
        Span<int> indices = stackalloc int[backend.Lanes];
        for (var lane = 0; lane < indices.Length; lane++)
            indices[lane] = lane % 8;
        var together = TimeSpan.MaxValue;
        var single = TimeSpan.MaxValue;
        for (var round = 0; round < 7; round++)
        {
            var start = Stopwatch.GetTimestamp();
            backend.Verify(answers, indices);
            var middle = Stopwatch.GetTimestamp();
            foreach (var index in indices)
                SingleCheck.Verify(answers[index], useOpenSsl: true);
            together = Min(together, Stopwatch.GetElapsedTime(start, middle));
            single = Min(single, Stopwatch.GetElapsedTime(middle));
        }

        return together < single
            ? null
            : $"{backend.Lanes} checks took {together.TotalMicroseconds:F0} us, with OpenSSL {single.TotalMicroseconds:F0} us";

        static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
    }

    /// <summary>Two valid signatures and six that are broken or belong elsewhere, valid ones at even places (some twice).</summary>
    private static SignatureCheck[] Make(string subjectPublicKeyInfo, string digestSalt, string maximumSalt)
    {
        if (
            !RsaPublicKey.TryParsePem(
                $"-----BEGIN PUBLIC KEY-----\n{subjectPublicKeyInfo}\n-----END PUBLIC KEY-----",
                out var key,
                out var error
            )
        )
            throw new InvalidOperationException(error);
        var digest = Convert.FromBase64String(digestSalt);
        var maximum = Convert.FromBase64String(maximumSalt);
        var otherData = (byte[])Data.Clone();
        otherData[^1] ^= 1;
        var otherSignature = (byte[])maximum.Clone();
        otherSignature[100] ^= 0x10;
        var zero = new byte[digest.Length];
        var one = new byte[digest.Length];
        one[^1] = 1;
        return
        [
            new(key, Data, digest),
            new(key, otherData, digest),
            new(key, Data, maximum),
            new(key, Data, otherSignature),
            new(key, Data, maximum),
            new(key, Data, zero),
            new(key, Data, digest),
            new(key, Data, one),
        ];
    }
}
