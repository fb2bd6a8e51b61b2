using System.Globalization;
using Berth.Operator.Archives;

namespace Berth.Operator.Tests;

/// <summary>Published examples: of the S3 API reference, and of the test suite of Signature Version 4.</summary>
public sealed class AwsSignatureTests
{
    private static readonly AwsCredentials S3 =
        new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3");

    private static readonly AwsCredentials Suite =
        new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service");

    private const string Empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("GET", "/test.txt", "", "range=bytes=0-9", Empty, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")]
    [InlineData("PUT", "/test%24file.text", "", "date=Fri, 24 May 2013 00:00:00 GMT|x-amz-storage-class=REDUCED_REDUNDANCY",
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")]
    [InlineData("GET", "/", "lifecycle=", "", Empty, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")]
    [InlineData("GET", "/", "prefix=J|max-keys=2", "", Empty, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    public void Authorize_ExamplesOfS3(string method, string path, string query, string headers, string payload, string signature)
    {
        var authorization = AwsSignature.Authorize(
            S3,
            method,
            path,
            Pairs(query),
            [.. Pairs(headers), new("host", "examplebucket.s3.amazonaws.com"), new("x-amz-date", "20130524T000000Z"),
                new("x-amz-content-sha256", payload)],
            payload,
            At("20130524T000000Z"));
        Assert.EndsWith("Signature=" + signature, authorization, StringComparison.Ordinal);
        Assert.StartsWith(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=", authorization,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
    [InlineData("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
    [InlineData("GET", "Param2=value2|Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")]
    public void Authorize_ExamplesOfTheSuite(string method, string query, string signature)
    {
        var authorization = AwsSignature.Authorize(
            Suite, method, "/", Pairs(query), [new("Host", "example.amazonaws.com"), new("X-Amz-Date", "20150830T123600Z")], Empty,
            At("20150830T123600Z"));
        Assert.EndsWith("Signature=" + signature, authorization, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b/ü+~", false, "a%20b/%C3%BC%2B~")]
    [InlineData("a/b", true, "a%2Fb")]
    public void Encode_AllButTheUnreserved(string text, bool slash, string expected) =>
        Assert.Equal(expected, AwsSignature.Encode(text, slash));

    private static IEnumerable<KeyValuePair<string, string>> Pairs(string text) =>
        text.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(p =>
            new KeyValuePair<string, string>(p[..p.IndexOf('=', StringComparison.Ordinal)], p[(p.IndexOf('=',
                StringComparison.Ordinal) + 1)..]));

    private static DateTimeOffset At(string text) =>
        DateTimeOffset.ParseExact(text, AwsSignature.TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
