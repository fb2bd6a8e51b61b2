using System.Globalization;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Operator.Tests;

/// <summary>
/// A cluster of one workspace in memory: does what an API would do with the decider's writes. Nothing happens unless a test makes it
/// happen.
/// </summary>
internal sealed class World
{
    private int _uids = 10;

    internal DateTimeOffset Now { get; set; } = TestData.Now;

    internal Observation Seen { get; set; } =
        new()
        {
            Workspace = TestData.Workspace(),
            Template = TestData.Template(),
            KnownTemplates = ["studio"],
            Now = TestData.Now,
        };

    internal BlueprintSettings Settings { get; set; } = TestData.Settings;

    internal List<Note> Notes { get; } = [];

    /// <summary>What the pod was made from; null: the template in effect.</summary>
    internal WorkspaceTemplate? PodTemplate { get; set; }

    internal Decision Last { get; private set; } = new();

    internal UserWorkspaceStatus Status => Seen.Workspace.Status!;

    internal string Phase => Status.Phase!;

    internal Condition Condition(string type) => Status.Conditions!.Single(c => c.Type == type);

    /// <summary>Decides and does it, until there is nothing left to do; returns the kinds of the writes.</summary>
    internal List<string> Settle()
    {
        var writes = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            Seen = Seen with { Now = Now, PodTemplate = Seen.Pod is null ? null : PodTemplate ?? Seen.Template };
            Last = Decider.Decide(Seen, Settings);
            Notes.AddRange(Last.Notes);
            foreach (var step in Last.Steps)
            {
                writes.Add(step.GetType().Name);
                Do(step);
            }

            if (Last.Status is { } status && !WorkspaceReconciler.Same(Seen.Workspace.Status, status))
            {
                writes.Add("Status");
                Seen = Seen with { Workspace = Seen.Workspace with { Status = status } };
            }
            else if (Last.Steps.IsEmpty)
            {
                return writes;
            }
        }

        throw new InvalidOperationException("It does not come to rest: " + string.Join(", ", writes));
    }

    internal void Advance(TimeSpan time) => Now += time;

    internal void Change(Func<UserWorkspaceSpec, UserWorkspaceSpec> change) =>
        Seen = Seen with
        {
            Workspace = Seen.Workspace with
            {
                Spec = change(Seen.Workspace.Spec),
                Metadata = Seen.Workspace.Metadata with { Generation = Seen.Workspace.Metadata.Generation + 1 },
            },
        };

    internal void Annotate(string name, string value) =>
        Seen = Seen with
        {
            Workspace = Seen.Workspace with
            {
                Metadata = Seen.Workspace.Metadata with { Annotations = new Dictionary<string, string> { [name] = value } },
            },
        };

    internal void RequestRestart() => Annotate(Annotations.RestartedAt, Now.ToString("O", CultureInfo.InvariantCulture));

    internal void PodStatus(PodStatus status, string? node = "node1") =>
        Seen = Seen with { Pod = Seen.Pod! with { Status = status, Spec = Seen.Pod.Spec! with { NodeName = node } } };

    internal void PodReady() =>
        PodStatus(
            new PodStatus
            {
                Phase = "Running",
                Conditions =
                [
                    new Condition
                    {
                        Type = "PodScheduled",
                        Status = "True",
                        LastTransitionTime = Now,
                    },
                    new Condition
                    {
                        Type = "Ready",
                        Status = "True",
                        LastTransitionTime = Now,
                    },
                ],
                ContainerStatuses =
                [
                    new ContainerStatus
                    {
                        Name = "workspace",
                        Ready = true,
                        State = new ContainerState { Running = new ContainerStateRunning() },
                    },
                ],
            }
        );

    internal void PodFailed(int exitCode = 1, string reason = "Error") =>
        PodStatus(
            new PodStatus
            {
                Phase = "Failed",
                ContainerStatuses =
                [
                    new ContainerStatus
                    {
                        Name = "workspace",
                        State = new ContainerState
                        {
                            Terminated = new ContainerStateTerminated { ExitCode = exitCode, Reason = reason },
                        },
                    },
                ],
            }
        );

    /// <summary>The kubelet is done with a pod that was deleted.</summary>
    internal void PodGone() => Seen = Seen with { Pod = null };

    internal void VolumeBound() =>
        Seen = Seen with { Volume = Seen.Volume! with { Status = new PersistentVolumeClaimStatus { Phase = "Bound" } } };

    /// <summary>A workspace that runs.</summary>
    internal static World Running()
    {
        var world = new World();
        world.Settle();
        world.VolumeBound();
        world.Advance(TimeSpan.FromSeconds(3));
        world.PodReady();
        world.Settle();
        return world;
    }

    private void Do(Step step)
    {
        Seen = step switch
        {
            Step.ApplyVolume s => Seen with
            {
                Volume = s.Object with { Metadata = Created(s.Object.Metadata), Status = Seen.Volume?.Status },
            },
            Step.ApplyService s => Seen with { Service = s.Object with { Metadata = Created(s.Object.Metadata) } },
            Step.ApplyNetworkPolicy s => Seen with { NetworkPolicy = s.Object with { Metadata = Created(s.Object.Metadata) } },
            Step.ApplyRoute s => Seen with { Route = s.Object with { Metadata = Created(s.Object.Metadata) } },
            Step.ApplyMiddleware s => Seen with
            {
                Middlewares = [.. Seen.Middlewares.Where(m => m.Metadata.Name != s.Object.Metadata.Name), s.Object],
            },
            Step.DeleteRoute => Seen with { Route = null },
            Step.DeleteMiddleware s => Seen with
            {
                Middlewares = [.. Seen.Middlewares.Where(m => m.Metadata.Name != s.Object.Metadata.Name)],
            },
            Step.CreatePod s when Seen.Pod is null => Seen with { Pod = s.Object with { Metadata = Created(s.Object.Metadata) } },
            Step.CreatePod => throw new InvalidOperationException("Two pods on one volume."),
            Step.RepairPod s => Seen with
            {
                Pod = Seen.Pod! with
                {
                    Metadata = Seen.Pod.Metadata with { Labels = s.Labels, OwnerReferences = s.Owners ?? Seen.Pod.Metadata.OwnerReferences },
                },
            },
            Step.RepairWorkspace s => Seen with
            {
                Workspace = Seen.Workspace with
                {
                    Metadata = Seen.Workspace.Metadata with { Labels = new Dictionary<string, string> { [Labels.Owner] = s.Owner } },
                },
            },
            Step.DeletePod => Seen with
            {
                Pod = Seen.Pod! with { Metadata = Seen.Pod.Metadata with { DeletionTimestamp = Now.AddSeconds(10) } },
            },
            Step.ForceDeletePod => Seen with { Pod = null },
            Step.StopWorkspace s => Seen with
            {
                Workspace = Seen.Workspace with
                {
                    Spec = Seen.Workspace.Spec with
                    {
                        DesiredState = DesiredStates.Stopped,
                        LastRequest = new WorkspaceRequest { By = RequestedBy.Operator, Reason = s.Reason, At = s.At },
                    },
                    Metadata = Seen.Workspace.Metadata with { Generation = Seen.Workspace.Metadata.Generation + 1 },
                },
            },
            Step.DeleteVolume => Seen with { Volume = null },
            Step.MarkVolume s => Mark(s),
            Step.CreateVolume s => Seen with
            {
                Storage = Seen.Storage with
                {
                    OtherVolumes = [.. Seen.Storage.OtherVolumes, s.Object with { Metadata = Created(s.Object.Metadata) }],
                },
            },
            Step.DeleteReleased s => Seen with
            {
                Storage = Seen.Storage with
                {
                    OtherVolumes = [.. Seen.Storage.OtherVolumes.Where(v => v.Metadata.Uid != s.Object.Metadata.Uid)],
                },
            },
            Step.ApplyStorageNetwork => Seen,
            Step.CreateJob s => Seen with
            {
                Storage = Seen.Storage with { Jobs = [.. Seen.Storage.Jobs, s.Object with { Metadata = Created(s.Object.Metadata) }] },
            },
            Step.DeleteJob s => Seen with
            {
                Storage = Seen.Storage with { Jobs = [.. Seen.Storage.Jobs.Where(j => j.Metadata.Name != s.Object.Metadata.Name)] },
            },
            Step.CreateSnapshot s => Seen with
            {
                Storage = Seen.Storage with
                {
                    Snapshots = [.. Seen.Storage.Snapshots ?? [], s.Object with { Metadata = Created(s.Object.Metadata) }],
                },
            },
            Step.DeleteSnapshot s => Seen with
            {
                Storage = Seen.Storage with
                {
                    Snapshots = [.. (Seen.Storage.Snapshots ?? []).Where(v => v.Metadata.Name != s.Object.Metadata.Name)],
                },
            },
            Step.AddFinalizer => Finalizers(WorkspaceFinalizers.Storage, true),
            Step.RemoveFinalizer => Finalizers(WorkspaceFinalizers.Storage, false),
            Step.HoldWorkspace => Finalizers(WorkspaceFinalizers.LegalHold, true),
            Step.ReleaseWorkspace => Finalizers(WorkspaceFinalizers.LegalHold, false),
            Step.HoldVolume => Seen with
            {
                Volume = Seen.Volume! with { Metadata = Seen.Volume.Metadata with { Finalizers = [WorkspaceFinalizers.LegalHold] } },
            },
            Step.ReleaseVolume => Seen with
            {
                Volume = Seen.Volume! with { Metadata = Seen.Volume.Metadata with { Finalizers = null } },
            },
            _ => throw new InvalidOperationException(step.GetType().Name),
        };
    }

    private Observation Mark(Step.MarkVolume step)
    {
        var annotations = new Dictionary<string, string>(step.Object.Metadata.Annotations ?? new Dictionary<string, string>());
        foreach (var (name, value) in step.Changes)
        {
            annotations.Remove(name);
            if (value is not null)
            {
                annotations[name] = value;
            }
        }

        var marked = step.Object with { Metadata = step.Object.Metadata with { Annotations = annotations } };
        return Seen.Volume?.Metadata.Uid == marked.Metadata.Uid
            ? Seen with { Volume = marked }
            : Seen with
            {
                Storage = Seen.Storage with
                {
                    OtherVolumes = [.. Seen.Storage.OtherVolumes.Select(v => v.Metadata.Uid == marked.Metadata.Uid ? marked : v)],
                },
            };
    }

    private Observation Finalizers(string finalizer, bool present)
    {
        var others = (Seen.Workspace.Metadata.Finalizers ?? []).Where(f => f != finalizer);
        return Seen with
        {
            Workspace = Seen.Workspace with
            {
                Metadata = Seen.Workspace.Metadata with { Finalizers = present ? [.. others, finalizer] : [.. others] },
            },
        };
    }

    private ObjectMeta Created(ObjectMeta metadata) => metadata with { Uid = $"uid-{_uids++}", CreationTimestamp = Now };
}
