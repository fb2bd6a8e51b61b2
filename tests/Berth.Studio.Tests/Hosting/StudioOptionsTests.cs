using System.Net;
using Berth.Studio.Hosting;

namespace Berth.Studio.Tests.Hosting;

public sealed class StudioOptionsTests
{
    private static readonly Dictionary<string, string> Good = new()
    {
        ["PORT"] = "8081",
        ["WORKSPACE_ROOT"] = "/tmp",
        ["WORKSPACE_NAME"] = "ws-a",
        ["WORKSPACE_URL"] = "http://ws-a.localhost:8080",
        ["WORKSPACE_IDENTITY_ISSUER"] = "http://localhost:8080",
        ["WORKSPACE_IDENTITY_AUDIENCE"] = "http://ws-a.localhost:8080",
        ["WORKSPACE_IDENTITY_JWKS"] = "http://localhost:8080/.well-known/workspace-identity/jwks.json",
    };

    [Fact]
    public void FromEnvironment_WhatAPlatformSets_IsTaken()
    {
        var (options, problems) = StudioOptions.FromEnvironment(Good);

        Assert.Empty(problems);
        Assert.Equal((8081, "ws-a", "/tmp", "http://ws-a.localhost:8080"), (options!.Port, options.Name, options.Root, options.Origin));
        Assert.Equal(IPAddress.IPv6Any, options.Address);
        Assert.Equal(new Uri(Good["WORKSPACE_IDENTITY_JWKS"]), options.Identity!.KeysAddress);
    }

    [Fact]
    public void FromEnvironment_Nothing_NamesEveryProblemAtOnce()
    {
        var (options, problems) = StudioOptions.FromEnvironment(
            new Dictionary<string, string> { ["PORT"] = "http", ["STUDIO_ADDRESS"] = "here" }
        );

        Assert.Null(options);
        Assert.Equal(
            [
                "PORT",
                "STUDIO_ADDRESS",
                "WORKSPACE_IDENTITY_AUDIENCE",
                "WORKSPACE_IDENTITY_ISSUER",
                "WORKSPACE_IDENTITY_JWKS",
                "WORKSPACE_ROOT",
            ],
            problems.Select(p => p.Split(' ')[0]).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("PORT", "65536")]
    [InlineData("PORT", "-1")]
    [InlineData("WORKSPACE_ROOT", "tmp")]
    [InlineData("WORKSPACE_ROOT", "/does/not/exist")]
    [InlineData("WORKSPACE_URL", "ws-a.localhost")]
    [InlineData("WORKSPACE_URL", "http://ws-a.localhost/?query")]
    [InlineData("WORKSPACE_IDENTITY_JWKS", "file:///etc/keys")]
    [InlineData("WORKSPACE_IDENTITY_JWKS", "{\"keys\":[]}")]
    [InlineData("WORKSPACE_IDENTITY_JWKS", "{broken")]
    [InlineData("STUDIO_MAX_TERMINALS", "0")]
    [InlineData("STUDIO_ALLOW_ANONYMOUS", "yes")]
    public void FromEnvironment_OneThingWrong_NamesThatOne(string name, string value)
    {
        var (options, problems) = StudioOptions.FromEnvironment(new Dictionary<string, string>(Good) { [name] = value });

        Assert.Null(options);
        Assert.StartsWith(name, Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void FromEnvironment_KeySetInline_IsRead()
    {
        using var issuer = new TestIssuer();

        var (options, _) = StudioOptions.FromEnvironment(
            new Dictionary<string, string>(Good) { ["WORKSPACE_IDENTITY_JWKS"] = issuer.KeySet }
        );

        Assert.Equal([issuer.KeyId], options!.Identity!.Keys!.Keys);
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("", false)]
    public void FromEnvironment_Anonymous_OnLoopbackOnly(string address, bool allowed)
    {
        var (options, problems) = StudioOptions.FromEnvironment(
            new Dictionary<string, string>
            {
                ["WORKSPACE_ROOT"] = "/tmp",
                ["STUDIO_ALLOW_ANONYMOUS"] = "true",
                ["STUDIO_ADDRESS"] = address,
            }
        );

        Assert.Equal(allowed, options is { Identity: null });
        Assert.Equal(allowed, problems.Count == 0);
    }

    [Fact]
    public void FromEnvironment_AnonymousBesideAnIssuer_DoesNotOpenTheDoor()
    {
        var (options, _) = StudioOptions.FromEnvironment(
            new Dictionary<string, string>(Good) { ["STUDIO_ALLOW_ANONYMOUS"] = "true", ["STUDIO_ADDRESS"] = "127.0.0.1" }
        );

        Assert.NotNull(options!.Identity);
    }
}
