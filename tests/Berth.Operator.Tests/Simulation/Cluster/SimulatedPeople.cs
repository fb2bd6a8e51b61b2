using System.Globalization;
using Berth.Resources;
using Kube.Client;
using Kube.Client.Models;
using Testing;

namespace Berth.Operator.Tests;

/// <summary>What owners, administrators and strangers do: each method one write, as the edge or kubectl would make it.</summary>
internal sealed class SimulatedPeople(SimulatedApi api, FakeTimeProvider time)
{
    internal const string Ns = TestData.Ns;

    internal static IReadOnlyList<string> Names { get; } = ["ws-a", "ws-b", "ws-c"];

    internal static IReadOnlyList<string> Templates { get; } = ["studio", "pooled", "missing"];

    /// <summary>A variable that no template here takes.</summary>
    internal const string DeniedVariable = "HTTP_PROXY";

    /// <summary>Creates the templates and the namespace.</summary>
    internal void Install()
    {
        api.Add(new Namespace { Metadata = new ObjectMeta { Name = Ns } });
        api.Add(new Namespace { Metadata = new ObjectMeta { Name = TestData.Settings.Edge.Namespace } });
        var denied = new TemplatePersonalVariables { Deny = [DeniedVariable] };
        api.Add(TestData.Template(s => s with { PersonalVariables = denied }));
        var pooled = TestData.Template(s => s with { PersonalVariables = denied, WarmPool = new TemplateWarmPool { Size = 2 } });
        api.Add(pooled with { Metadata = new ObjectMeta { Name = "pooled", Namespace = Ns } });
    }

    internal static ResourceKey Key(string name) => new(Ns, name);

    internal UserWorkspace? Find(string name) => api.Get<UserWorkspace>(Key(name));

    internal void Create(string name, int owner, int template, bool delete)
    {
        if (Find(name) is null)
        {
            api.Add(new UserWorkspace
            {
                Metadata = new ObjectMeta { Name = name, Namespace = Ns },
                Spec = new UserWorkspaceSpec
                {
                    Owner = new WorkspaceOwner { Issuer = TestData.Issuer, Subject = Owner(owner) },
                    Template = new TemplateReference { Name = Templates[template % 5 == 4 ? 2 : template % 2] },
                    LastRequest = Request(),
                    Storage = new WorkspaceStorage { DeletionPolicy = delete ? DeletionPolicies.Delete : DeletionPolicies.Retain },
                },
            });
        }
    }

    internal void Wish(string name, string state) => Spec(name, s => s with { DesiredState = state, LastRequest = Request() });

    internal void Restart(string name) => api.Update<UserWorkspace>(Key(name), w => w with
    {
        Metadata = w.Metadata with
        {
            Annotations = new Dictionary<string, string>(w.Metadata.Annotations ?? new Dictionary<string, string>())
            {
                [Annotations.RestartedAt] = time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
            },
        },
    });

    internal void Delete(string name)
    {
        if (Find(name) is not null)
        {
            api.Delete(UserWorkspace.Descriptor, Key(name), null);
        }
    }

    internal void KeepVolume(string name, bool keep) => Spec(name, s => s with
    {
        Storage = (s.Storage ?? new WorkspaceStorage()) with { DeletionPolicy = keep ? DeletionPolicies.Retain : DeletionPolicies.Delete },
    });

    internal void TakeTemplate(string name, int template) =>
        Spec(name, s => s with { Template = new TemplateReference { Name = Templates[template % Templates.Count] } });

    internal void TakeResources(string name, int size) =>
        Spec(name, s => s with { Resources = new WorkspaceResources { Memory = $"{1 + (size % 3)}Gi", Storage = $"{1 + (size % 4)}Gi" } });

    /// <summary>
    /// Variables as the owner's preferences say: none, some, some with what a node would put something in place of, and one that a template
    /// does not take.
    /// </summary>
    internal void TakeEnvironment(string name, int kind) => Spec(name, s => s with
    {
        Environment = (kind % 5) switch
        {
            0 => null,
            1 => [new WorkspaceVariable { Name = "EDITOR", Value = "vim" }],
            2 =>
            [
                new WorkspaceVariable { Name = "PRICE", Value = "$(PORT) $$ 5" }, new WorkspaceVariable { Name = "EDITOR", Value = $"{kind}" },
            ],
            3 => [new WorkspaceVariable { Name = DeniedVariable, Value = "x" }, new WorkspaceVariable { Name = "EDITOR", Value = "vim" }],
            _ => [new WorkspaceVariable { Name = DeniedVariable, Value = "x" }],
        },
    });

    internal void ChangeOwner(string name, int owner)
    {
        if (api.WithoutRules)
        {
            Spec(name, s => s with { Owner = s.Owner with { Subject = Owner(owner) } });
        }
    }

    internal void ChangeTemplate(int template, int kind) => api.Update<WorkspaceTemplate>(Key(Templates[template % 2]), t => t with
    {
        Spec = (kind % 3) switch
        {
            0 => t.Spec with { Image = $"image:{kind % 5}" },
            1 => t.Spec with { WarmPool = t.Spec.WarmPool is null ? null : new TemplateWarmPool { Size = kind % 4 } },
            _ => t.Spec with { TerminationGracePeriodSeconds = 5 + (kind % 20) },
        },
    });

    /// <summary>An administrator decides about a workspace.</summary>
    internal void Decide(string name, int kind) => Spec(name, s => s with
    {
        Administration = (kind % 6) switch
        {
            0 => (s.Administration ?? new WorkspaceAdministration()) with { Frozen = true, Reason = "an inquiry" },
            1 => (s.Administration ?? new WorkspaceAdministration()) with { Frozen = null },
            2 => (s.Administration ?? new WorkspaceAdministration()) with { ForceStopAt = Times.Seconds(time.GetUtcNow()) },
            3 => (s.Administration ?? new WorkspaceAdministration()) with { LegalHold = true },
            4 => (s.Administration ?? new WorkspaceAdministration()) with { LegalHold = false },
            _ => null,
        },
        Debug = kind % 7 == 6 ? true : null,
    });

    /// <summary>Ceilings for persons and namespaces, or none.</summary>
    internal void ChangeCeilings(int person, int ns) => api.Update<BerthPolicy>(new("", BerthPolicy.DefaultName), p => p with
    {
        Spec = p.Spec with
        {
            PerPerson = person % 3 == 0 ? null : new PolicyCeilings { Running = person % 3 },
            PerNamespace = ns % 4 == 0 ? null : new PolicyCeilings { Running = ns % 4 },
        },
    });

    /// <summary>Ends what administrators hinder, as all inquiries end.</summary>
    internal void EndHolds()
    {
        foreach (var name in Names)
        {
            Spec(name, s => s with { Administration = s.Administration is null ? null : s.Administration with { LegalHold = null }, Debug = null });
        }
    }

    /// <summary>Somebody who may do everything in the namespace, and knows nothing of Berth.</summary>
    internal void Meddle(string name, int kind)
    {
        var key = Key(name);
        switch (kind % 8)
        {
            case 0:
                TryAdd(new Service { Metadata = Foreign(name), Spec = new ServiceSpec { Ports = [new ServicePort { Port = 1 }] } });
                break;
            case 1:
                TryAdd(new PersistentVolumeClaim
                {
                    Metadata = Foreign(name),
                    Spec = new PersistentVolumeClaimSpec
                    {
                        Resources = new ResourceRequirements { Requests = new Dictionary<string, string> { ["storage"] = "1Gi" } },
                    },
                });
                break;
            case 2:
                TryDelete(Pod.Descriptor, api.All<Pod>().FirstOrDefault(p => p.Metadata.Labels?.GetValueOrDefault(Labels.Workspace) == name)?.Key());
                break;
            case 3:
                TryDelete(Service.Descriptor, key);
                break;
            case 4:
                TryDelete(NetworkPolicy.Descriptor, key);
                break;
            case 5:
                api.Update<Service>(key, s => s with { Spec = s.Spec! with { Ports = [new ServicePort { Name = "http", Port = 81, Protocol = "TCP" }] } });
                break;
            case 6:
                api.Update<NetworkPolicy>(key, s => s with { Metadata = s.Metadata with { Annotations = new Dictionary<string, string> { ["theirs"] = "1" } } });
                break;
            default:
                foreach (var foreign in api.Everything().Where(r => r.Json["metadata"]!["labels"]?["foreign"] is not null).ToList())
                {
                    TryDelete(foreign.Kind, foreign.Key);
                }

                break;
        }
    }

    internal static string Owner(int owner) => owner % 2 == 0 ? "ada" : "bob";

    private void Spec(string name, Func<UserWorkspaceSpec, UserWorkspaceSpec> change) =>
        api.Update<UserWorkspace>(Key(name), w => w with { Spec = change(w.Spec) });

    private WorkspaceRequest Request() => new() { By = RequestedBy.User, Reason = "Manual", At = Times.Seconds(time.GetUtcNow()) };

    private static ObjectMeta Foreign(string name) =>
        new() { Name = name, Namespace = Ns, Labels = new Dictionary<string, string> { ["foreign"] = "true" } };

    private void TryAdd<T>(T obj)
        where T : class, IKubeResource<T>
    {
        if (api.Get<T>(obj.Key()) is null)
        {
            api.Add(obj);
        }
    }

    private void TryDelete(ResourceDescriptor kind, ResourceKey? key)
    {
        if (key is { } there && api.Find(kind, there) is not null)
        {
            api.Delete(kind, there, null);
        }
    }
}
