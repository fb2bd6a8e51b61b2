using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>A workspace, a template and settings that work; tests change what they are about.</summary>
internal static class TestData
{
    internal const string Issuer = "https://id.example.com/";
    internal const string Subject = "42";
    internal const string Ns = "people";
    internal static readonly DateTimeOffset Now = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    internal static BlueprintSettings Settings { get; } = new()
    {
        Urls = new WorkspaceUrls(new Uri("http://localhost:8080"), "localhost"),
        IdentityIssuer = "http://localhost:8080",
        IdentityJwks = "http://berth-edge.berth.svc:80/.well-known/workspace-identity/jwks.json",
        ProxyUrl = "http://berth-edge.berth.svc:80/proxy",
        Edge = new EdgeService("berth", "berth-edge", 80, 8080),
        ForwardAuthAddress = "http://berth-edge.berth.svc:80/auth/forward",
    };

    internal static UserWorkspace Workspace(Func<UserWorkspaceSpec, UserWorkspaceSpec>? change = null, string name = "ws-gteygflnsjbfmjmu")
    {
        var spec = new UserWorkspaceSpec
        {
            Owner = new WorkspaceOwner { Issuer = Issuer, Subject = Subject, Email = "ada@example.com", Name = "Ada" },
            Template = new TemplateReference { Name = "studio" },
            Storage = new WorkspaceStorage(),
        };
        spec = change is null ? spec : change(spec);
        return new UserWorkspace
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = Ns,
                Uid = "uid-1",
                ResourceVersion = "1",
                Generation = 1,
                Labels = spec.Owner is not { Issuer.Length: > 0, Subject.Length: > 0 } ? null
                    : new Dictionary<string, string> { [Labels.Owner] = WorkspaceNames.OwnerHash(spec.Owner.Issuer, spec.Owner.Subject) },
                CreationTimestamp = Now - TimeSpan.FromSeconds(2),
            },
            Spec = spec,
        };
    }

    internal static WorkspaceTemplate Template(Func<WorkspaceTemplateSpec, WorkspaceTemplateSpec>? change = null)
    {
        var spec = new WorkspaceTemplateSpec
        {
            Image = "berth-studio:dev",
            Port = 8080,
            Probes = new TemplateProbes { Readiness = new TemplateProbe { Path = "/healthz", PeriodSeconds = 1 } },
            Storage = new TemplateStorage { Size = "1Gi", MountPath = "/workspace" },
            TerminationGracePeriodSeconds = 10,
        };
        return new WorkspaceTemplate
        {
            Metadata = new ObjectMeta { Name = "studio", Namespace = Ns },
            Spec = change is null
            ? spec : change(spec)
        };
    }
}
