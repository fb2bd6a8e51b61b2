namespace Berth.Local.Tests;

public sealed class LocalOptionsTests
{
    [Fact]
    public void Parse_NothingSet_GivesTheDefaults()
    {
        var options = LocalOptions.Parse(_ => null);

        Assert.Equal(8080, options.Port);
        Assert.True(options.UsePostgres);
        Assert.Null(options.Provider);
        Assert.Equal("http://localhost:8080", options.PublicOrigin);
    }

    [Fact]
    public void Parse_OnePortForTwo_SaysThatTheyMustDiffer()
    {
        var env = new Dictionary<string, string> { ["PORT"] = "9000", ["IDP_PORT"] = "9000" };

        var error = Assert.Throws<LocalConfigurationException>(() => LocalOptions.Parse(env.GetValueOrDefault));

        Assert.Contains("IDP_PORT", Assert.Single(error.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SeveralWrong_NamesAllInOneMessage()
    {
        var env = new Dictionary<string, string>
        {
            ["PORT"] = "70000",
            ["IDP_PORT"] = "x",
            ["BERTH_LOG"] = "loud",
            ["BERTH_POSTGRES"] = "yes",
            ["BERTH_PATH_PREFIX"] = "yes",
            ["BERTH_SESSION"] = "long",
            ["OIDC_CLIENT_ID"] = "a",
        };

        var error = Assert.Throws<LocalConfigurationException>(() => LocalOptions.Parse(env.GetValueOrDefault));

        Assert.Equal(7, error.Problems.Count);
        Assert.All(env.Keys, name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("IDP_ADDRESS", "somewhere", "give an IP address")]
    [InlineData("IDP_ADDRESS", "0.0.0.0", "BERTH_EXPORT is not")]
    [InlineData("IDP_HOST", "idp.example.com", "localhost or a name below it")]
    [InlineData("IDP_HOST", "evil.com/.localhost", "localhost or a name below it")]
    public void Parse_ProviderThatOthersCouldReach_IsRefused(string name, string value, string expected)
    {
        var error = Assert.Throws<LocalConfigurationException>(() => LocalOptions.Parse(n => n == name ? value : null));

        Assert.Contains(error.Problems, p => p.StartsWith(name, StringComparison.Ordinal) && p.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_ExportWithAProviderOfOnesOwn_IsRefused()
    {
        var env = new Dictionary<string, string> { ["BERTH_EXPORT"] = "x", ["OIDC_ISSUER"] = "https://idp.example.com", ["OIDC_CLIENT_ID"] = "a" };

        Assert.Contains("BERTH_EXPORT", Assert.Throws<LocalConfigurationException>(() => LocalOptions.Parse(env.GetValueOrDefault)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://idp.example.com")]
    [InlineData("ftp://idp.example.com")]
    [InlineData("idp")]
    public void Parse_IssuerWithoutTls_IsRefused(string issuer)
    {
        var env = new Dictionary<string, string> { ["OIDC_ISSUER"] = issuer, ["OIDC_CLIENT_ID"] = "a" };

        Assert.Contains(
            "OIDC_ISSUER",
            Assert.Throws<LocalConfigurationException>(() => LocalOptions.Parse(env.GetValueOrDefault)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Parse_LongGarbage_IsCutInTheMessage()
    {
        var error = Assert.Throws<LocalConfigurationException>(() =>
            LocalOptions.Parse(name => name == "PORT" ? new string('9', 5000) : null)
        );

        Assert.True(error.Message.Length < 300);
    }
}
