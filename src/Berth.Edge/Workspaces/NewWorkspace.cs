using System.Collections.Immutable;
using Berth.Resources;
using Kube.Client.Models;

namespace Berth.Edge;

/// <summary>Makes the resource of a new workspace out of what somebody wished for, or says what is wrong with it.</summary>
internal static class NewWorkspace
{
    /// <summary>Annotation with the name for people.</summary>
    public const string DisplayNameAnnotation = "berth.dev/display-name";

    private const int MaximumDisplayName = 100;

    /// <summary>Makes the resource.</summary>
    /// <exception cref="ProblemException">Every field that is wrong.</exception>
    public static UserWorkspace Make(
        Caller caller, string name, CreateWorkspace wish, IReadOnlyList<WorkspaceVariable> environment, WorkspaceWatch watch,
        WorkspaceOptions options, WorkspaceRequest request)
    {
        var templateName = wish.Template ?? options.DefaultTemplate;
        Check(wish, watch.Template(templateName), watch);
        return new UserWorkspace
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = options.Namespace,
                Labels = new Dictionary<string, string>
                {
                    [Labels.ManagedBy] = Labels.ManagedByValue,
                    [Labels.Owner] = WorkspaceNames.OwnerHash(caller.Issuer, caller.Subject),
                },
                Annotations = AnnotationsOf(wish, environment),
            },
            Spec = new UserWorkspaceSpec
            {
                Owner = new WorkspaceOwner
                {
                    Issuer = caller.Issuer,
                    Subject = caller.Subject,
                    Email = Fit(caller.Email, 320),
                    Name = Fit(caller.Name, 256),
                },
                Template = new TemplateReference { Name = templateName },
                Parameters = wish.Parameters is { Count: > 0 } ? wish.Parameters : null,
                Environment = environment.Count > 0 ? environment : null,
                Resources = wish.Resources,
                DesiredState = wish.Start == false ? DesiredStates.Stopped : DesiredStates.Running,
                LastRequest = request,
            },
        };
    }

    /// <summary>What is wrong with a name for people; null when nothing is.</summary>
    public static string? DisplayNameProblem(string? text) => text switch
    {
        null => null,
        { Length: > MaximumDisplayName } => $"has {text.Length} characters; at most {MaximumDisplayName} are allowed.",
        _ when text.Any(char.IsControl) => "must not contain control characters.",
        _ => null,
    };

    /// <summary>An empty collection of problems by field.</summary>
    public static ImmutableDictionary<string, string>.Builder NewProblems() =>
        ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);

    private static Dictionary<string, string>? AnnotationsOf(CreateWorkspace wish, IReadOnlyList<WorkspaceVariable> environment)
    {
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal);
        if (wish.DisplayName is { } displayName)
        {
            annotations[DisplayNameAnnotation] = displayName;
        }

        if (EnvironmentChange.Mark(environment) is { } mark)
        {
            annotations[Annotations.Environment] = mark;
        }

        return annotations.Count > 0 ? annotations : null;
    }

    private static void Check(CreateWorkspace wish, WorkspaceTemplate? template, WorkspaceWatch watch)
    {
        var problems = NewProblems();
        if (template is null && wish.Template is { } unknown)
        {
            var shown = unknown.Length <= 63 ? unknown : unknown[..63] + "…";
            problems["template"] = $"there is no template '{shown}'; there are "
                + $"{string.Join(", ", watch.Templates().Select(t => t.Metadata.Name))}.";
        }

        // Only where somebody asks for it: a default that was retired must not make a first sign-in fail, and mostly has a successor.
        if (template?.Spec.Retired is not null && wish.Template is not null)
        {
            problems["template"] = $"'{template.Metadata.Name}' is retired; take one of "
                + $"{string.Join(", ", watch.Templates().Select(t => t.Metadata.Name))}.";
        }

        if (template is not null)
        {
            TemplateParameters.Check(template.Spec, wish.Parameters ?? ImmutableDictionary<string, string>.Empty, problems);
        }

        if (DisplayNameProblem(wish.DisplayName) is { } displayName)
        {
            problems["displayName"] = displayName;
        }

        if (problems.Count > 0)
        {
            throw ProblemException.Invalid(problems.ToImmutable());
        }
    }

    // What the resource's schema refuses anyway must not make a sign-in fail: display fields are left out.
    private static string? Fit(string? text, int length) => string.IsNullOrWhiteSpace(text) || text.Length > length ? null : text;
}
