using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge.Tests;

/// <summary>Where a workspace is and whose word it takes, when its pod came from a warm pool and when not.</summary>
public sealed class WorkspaceEntriesTests
{
    private const string Name = "ws-ada";
    private const string Origin = "http://ws-ada.localhost:8080";
    private const string Audience = "urn:berth:pod:people:pool-studio-x";
    private static readonly WorkspaceUrls Urls = new(new Uri("http://localhost:8080"), "localhost");

    [Theory]
    // pod behind the Service, status.podName, status.identityAudience -> forwarded to, with which audience
    [InlineData(Name, Name, null, true, Origin)]
    [InlineData(Name, null, null, true, Origin)]
    [InlineData(null, null, null, true, Origin)]
    [InlineData("pool-studio-x", "pool-studio-x", Audience, true, Audience)]

    // The status does not name the pod yet: what it expects is not known.
    [InlineData("pool-studio-x", null, null, false, Origin)]
    [InlineData("pool-studio-x", Name, null, false, Origin)]

    // The status still speaks of the pod before this one.
    [InlineData(Name, "pool-studio-x", Audience, true, Origin)]
    public void From_PodOfAnyOrigin_IsForwardedToOnlyWithItsOwnAudience(
        string? pod, string? podName, string? audience, bool forwarded, string expected)
    {
        var entry = WorkspaceEntries.From(
            new UserWorkspace
            {
                Metadata = new ObjectMeta { Name = Name, Namespace = "people" },
                Spec = new UserWorkspaceSpec { Owner = new WorkspaceOwner { Issuer = "https://id.example.com/", Subject = "42" } },
                Status = new UserWorkspaceStatus { PodName = podName, IdentityAudience = audience },
            },
            new Endpoints
            {
                Subsets =
                [
                    new EndpointSubset
                    {
                        Addresses =
                        [
                            new EndpointAddress
                            {
                                IP = "10.0.0.1",
                                TargetRef = pod is null ? null : new ObjectReference { Kind = "Pod", Name = pod },
                            },
                        ],
                        Ports = [new EndpointPort { Name = "http", Port = 8080 }],
                    },
                ],
            },
            Urls,
            TargetResolution.Endpoints)!;
        Assert.Equal(forwarded, entry.IsReady);
        if (forwarded)
        {
            Assert.Equal(expected, entry.Audience);
        }
    }
}
