using System.Text.Json.Nodes;
using Kube.Server.Cel;
using Testing;

namespace Kube.Server.Tests.Cel;

/// <summary>
/// The admission policies of the documentation, evaluated with the CEL engine as an API server does: resource rules, match conditions,
/// variables, validations. Each example is a request of somebody.
/// </summary>
public sealed class AdmissionPolicyTests
{
    private const string Operator = "system:serviceaccount:berth:berth-operator";
    private const string Edge = "system:serviceaccount:berth:berth-edge";
    private const string Person = "ada@example.com";

    private static readonly List<JsonObject> Documents = Read();

    private static readonly JsonObject Workspace = Parse(
        """
        {"metadata":{"name":"ws-a","labels":{"berth.dev/owner":"h","app.kubernetes.io/managed-by":"berth","team":"a"},
         "finalizers":["berth.dev/storage","other/x"]},
         "spec":{"owner":{"issuer":"https://id","subject":"42","name":"Ada"},"template":{"name":"studio"},"desiredState":"Running",
         "lastRequest":{"by":"edge","reason":"Visit"},"administration":{"frozen":true}},"status":{"phase":"Running"}}
        """);

    private static readonly JsonObject Plain = Parse(
        """{"metadata":{"name":"ws-a"},"spec":{"owner":{"issuer":"https://id","subject":"42"},"template":{"name":"studio"}}}""");

    private static readonly JsonObject Pod = Parse(
        """
        {"metadata":{"name":"ws-a","labels":{"berth.dev/workspace":"ws-a","berth.dev/owner":"h","app.kubernetes.io/managed-by":"berth"},
         "annotations":{"berth.dev/revision":"r","parameter.berth.dev/key":"k","note":"n"},
         "ownerReferences":[{"kind":"UserWorkspace","name":"ws-a","uid":"u","controller":true}]},
         "spec":{"containers":[{"name":"workspace","image":"studio:1"}]},"status":{"phase":"Running"}}
        """);

    private static readonly JsonObject Stranger = Parse("""{"metadata":{"name":"x","labels":{"app":"shop"}},"spec":{"a":1}}""");

    public static TheoryData<string, string, string, string, string, string?> Denied => new()
    {
        { "another owner", Person, "UPDATE", "userworkspaces", """{"spec":{"owner":{"subject":"43"}}}""",
            "owner of a workspace cannot change" },
        { "another issuer", Person, "UPDATE", "userworkspaces", """{"spec":{"owner":{"issuer":"https://evil"}}}""",
            "owner of a workspace" },
        { "thaws it", Person, "UPDATE", "userworkspaces", """{"spec":{"administration":null}}""", "for administrators only" },
        { "thaws it quietly", Person, "UPDATE", "userworkspaces", """{"spec":{"administration":{"frozen":false}}}""",
            "administrators only" },
        { "another person's label", Person, "UPDATE", "userworkspaces", """{"metadata":{"labels":{"berth.dev/owner":"x"}}}""",
            "do not change" },
        { "no label", Person, "UPDATE", "userworkspaces", """{"metadata":{"labels":null}}""", "do not change" },
        { "no finalizer", Person, "UPDATE", "userworkspaces", """{"metadata":{"finalizers":["other/x"]}}""", "finalizers of Berth" },
        { "speaks for the operator", Person, "UPDATE", "userworkspaces", """{"spec":{"lastRequest":{"by":"operator"}}}""", "by is user" },
        { "status", Person, "UPDATE", "userworkspaces/status", """{"status":{"phase":"Stopped"}}""",
            "status of a workspace is written by" },
        { "a pod without label", Person, "UPDATE", "pods", """{"metadata":{"labels":null}}""", "labels say whose" },
        { "a pod of another one", Person, "UPDATE", "pods", """{"metadata":{"labels":{"berth.dev/workspace":"ws-b"}}}""",
            "labels say whose" },
        { "a pod of a pool", Person, "UPDATE", "pods", """{"metadata":{"labels":{"berth.dev/pool":"studio"}}}""", "labels say whose" },
        { "a pod of nobody", Person, "UPDATE", "pods", """{"metadata":{"ownerReferences":null}}""", "owner references" },
        { "a parameter", Person, "UPDATE", "pods", """{"metadata":{"annotations":{"parameter.berth.dev/key":"x"}}}""",
            "annotations of Berth" },
        { "no parameter", Person, "UPDATE", "pods", """{"metadata":{"annotations":{"parameter.berth.dev/key":null}}}""",
            "annotations of Berth" },
        { "one more", Person, "UPDATE", "pods", """{"metadata":{"annotations":{"berth.dev/identity":"x/y"}}}""", "annotations of Berth" },
        { "another image", Person, "UPDATE", "pods", """{"spec":{"containers":[{"name":"workspace","image":"evil"}]}}""", "template" },
        { "an open policy", Person, "UPDATE", "networkpolicies", """{"spec":{"egress":[{}]}}""", "change the template" },
        { "a false Service", "system:serviceaccount:shop:app", "UPDATE", "services", """{"spec":{"selector":{"app":"evil"}}}""",
            "template" },
    };

    public static TheoryData<string, string, string, string, string> Admitted => new()
    {
        { "stops it", Person, "UPDATE", "userworkspaces",
            """{"spec":{"desiredState":"Stopped","lastRequest":{"by":"user","reason":"Manual"}}}""" },
        { "leaves the last request", Person, "UPDATE", "userworkspaces", """{"spec":{"template":{"name":"web"}}}""" },
        { "shares it", Person, "UPDATE", "userworkspaces", """{"spec":{"sharing":[{"subject":"7","role":"use"}]}}""" },
        { "labels of their own", Person, "UPDATE", "userworkspaces", """{"metadata":{"labels":{"team":"b"}}}""" },
        { "another name for display", Person, "UPDATE", "userworkspaces", """{"spec":{"owner":{"name":"Ada L."}}}""" },
        { "another's finalizer", Person, "UPDATE", "userworkspaces", """{"metadata":{"finalizers":["berth.dev/storage"]}}""" },
        { "an administrator thaws it", "admin", "UPDATE", "userworkspaces", """{"spec":{"administration":null}}""" },
        { "the edge on an administrator's word", Edge, "UPDATE", "userworkspaces", """{"spec":{"administration":{"frozen":false}}}""" },
        { "the operator's status", Operator, "UPDATE", "userworkspaces/status", """{"status":{"phase":"Stopped"}}""" },
        { "the edge's activity", Edge, "UPDATE", "userworkspaces/status", """{"status":{"activity":{"source":"Http"}}}""" },
        { "the operator repairs a label", Operator, "UPDATE", "pods", """{"metadata":{"labels":{"berth.dev/owner":"h2"}}}""" },
        { "the garbage collector", "collector", "UPDATE", "pods", """{"metadata":{"ownerReferences":null}}""" },
        { "a note on a pod", Person, "UPDATE", "pods", """{"metadata":{"annotations":{"note":"m"},"labels":{"seen":"yes"}}}""" },
        { "the node binds a claim", "node", "UPDATE", "persistentvolumeclaims", """{"spec":{"volumeName":"pv-1"}}""" },
    };

    [Theory]
    [MemberData(nameof(Denied))]
    public void Request_ThatPeopleMustNotMake_IsDenied(string what, string user, string operation, string resource, string change,
        string? words)
    {
        var message = Admit(user, operation, resource, Merge(Old(resource), change), Old(resource));
        Assert.True(message is not null, what);
        Assert.Contains(words!, message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Admitted))]
    public void Request_ThatIsRightful_IsAdmitted(string what, string user, string operation, string resource, string change)
    {
        var message = Admit(user, operation, resource, Merge(Old(resource), change), Old(resource));
        Assert.True(message is null, $"{what}: {message}");
    }

    [Fact]
    public void Create_ByPeople_WithoutWhatIsNotTheirs_IsAdmitted()
    {
        Assert.Null(Admit(Person, "CREATE", "userworkspaces", Plain, null));
        Assert.Contains("administrators only", Admit(Person, "CREATE", "userworkspaces", Workspace, null), StringComparison.Ordinal);
        var forged = Merge(Plain, """{"spec":{"lastRequest":{"by":"admin"}}}""");
        Assert.Contains("by is user", Admit(Person, "CREATE", "userworkspaces", forged, null), StringComparison.Ordinal);
        Assert.Null(Admit(Person, "CREATE", "userworkspaces", Merge(Plain, """{"spec":{"lastRequest":{"by":"user"}}}"""), null));
        Assert.Contains("by the operator only", Admit(Person, "CREATE", "pods", Pod, null), StringComparison.Ordinal);
        Assert.Null(Admit(Operator, "CREATE", "pods", Pod, null));
    }

    [Fact]
    public void Objects_ThatAreNotBerths_AreNobodysConcern_UntilTheyPretend()
    {
        Assert.Null(Admit(Person, "CREATE", "pods", Stranger, null));
        Assert.Null(Admit(Person, "UPDATE", "services", Merge(Stranger, """{"spec":{"a":2},"metadata":{"labels":null}}"""), Stranger));
        Assert.Null(Admit(Person, "UPDATE", "configmaps", Stranger, Pod));
        var pretends = Merge(Stranger, """{"metadata":{"labels":{"berth.dev/workspace":"ws-a"}}}""");
        Assert.Contains("labels say whose", Admit(Person, "UPDATE", "pods", pretends, Stranger), StringComparison.Ordinal);
        Assert.Contains("labels say whose", Admit(Person, "UPDATE", "networkpolicies", pretends, Stranger), StringComparison.Ordinal);
    }

    [Fact]
    public void Policies_AreBound_AndFailClosed()
    {
        var policies = Documents.Where(d => Text(d, "kind") == "ValidatingAdmissionPolicy").ToList();
        Assert.Equal(2, policies.Count);
        Assert.All(policies, p =>
        {
            Assert.Equal("admissionregistration.k8s.io/v1", Text(p, "apiVersion"));
            Assert.Equal("Fail", Text(p["spec"]!.AsObject(), "failurePolicy"));
            var binding = Assert.Single(Documents, d => Text(d, "kind") == "ValidatingAdmissionPolicyBinding"
                && Text(d["spec"]!.AsObject(), "policyName") == Text(p["metadata"]!.AsObject(), "name"));
            Assert.Equal("Deny", binding["spec"]!["validationActions"]![0]!.GetValue<string>());
        });
        Assert.Equal(4, Documents.Count);
    }

    /// <summary>The message of the first validation that does not hold; null when the request is admitted.</summary>
    private static string? Admit(string user, string operation, string resource, JsonObject obj, JsonObject? old)
    {
        var parts = resource.Split('/');
        var request = new JsonObject
        {
            ["operation"] = operation,
            ["userInfo"] = new JsonObject
            {
                ["username"] = user switch { "node" => "system:node:n1", "collector" => "system:serviceaccount:kube-system:gc", _ => user },
                ["groups"] = new JsonArray([
                    "system:authenticated",
                    .. user switch
                    {
                        "admin" => ["berth:administrators"],
                        "node" => ["system:nodes"],
                        "collector" => ["system:serviceaccounts", "system:serviceaccounts:kube-system"],
                        _ => (JsonNode[])[],
                    },
                ]),
            },
        };
        if (parts.Length > 1)
        {
            request["subResource"] = parts[1];
        }

        foreach (var spec in Documents.Where(d => Text(d, "kind") == "ValidatingAdmissionPolicy").Select(d => d["spec"]!.AsObject()))
        {
            var rules = spec["matchConstraints"]!["resourceRules"]!.AsArray();
            if (!rules.Any(r => Has(r!["resources"], resource) && Has(r["operations"], operation)))
            {
                continue;
            }

            var scope = new Scope(new Scope(new Scope(null, "object", CelValue.From(obj, null)), "oldObject", CelValue.From(old, null)),
                "request", CelValue.From(request, null));
            if (spec["matchConditions"]!.AsArray().Any(c => Eval(c!, scope) is not true))
            {
                continue;
            }

            var variables = new Dictionary<object, object?>();
            scope = new Scope(scope, "variables", variables);
            foreach (var variable in spec["variables"]!.AsArray())
            {
                variables[variable!["name"]!.GetValue<string>()] = Eval(variable, scope);
            }

            foreach (var validation in spec["validations"]!.AsArray())
            {
                if (Eval(validation!, scope) is not true)
                {
                    return validation!["message"]!.GetValue<string>();
                }
            }
        }

        return null;
    }

    private static object? Eval(JsonNode expression, Scope scope) =>
        new CelEvaluator(CelRule.Limit).Eval(CelParser.Parse(expression["expression"]!.GetValue<string>()), scope);

    private static bool Has(JsonNode? list, string item) => list!.AsArray().Any(i => i!.GetValue<string>() == item);

    private static JsonObject Old(string resource) => resource.StartsWith("userworkspaces", StringComparison.Ordinal) ? Workspace : Pod;

    private static JsonObject Merge(JsonObject into, string patch)
    {
        var result = into.DeepClone().AsObject();
        Apply(result, Parse(patch));
        return result;

        static void Apply(JsonObject target, JsonObject patch)
        {
            foreach (var (key, value) in patch)
            {
                if (value is JsonObject inner && target[key] is JsonObject present)
                {
                    Apply(present, inner);
                }
                else if (value is null)
                {
                    target.Remove(key);
                }
                else
                {
                    target[key] = value.DeepClone();
                }
            }
        }
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private static string? Text(JsonObject node, string name) => node[name]?.GetValue<string>();

    private static List<JsonObject> Read()
    {
        var text = Checkout.Read("docs", "examples", "cluster", "admission.yaml");
        return [.. text.Split("\n---\n").Select(d => Yaml.Parse(d)!.AsObject())];
    }
}
