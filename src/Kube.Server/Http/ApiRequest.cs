using System.Globalization;
using Kube.Server.Kinds;
using Microsoft.AspNetCore.Http;

namespace Kube.Server.Http;

/// <summary>A request for a resource, with its query parameters read.</summary>
internal sealed class ApiRequest
{
    public ApiRequest(HttpContext context, ApiPath path, KindInfo kind)
    {
        Http = context;
        Path = path;
        Kind = kind;
        Warnings = [];
        if (kind.DeprecationWarning is { } warning)
        {
            Warnings.Add(warning);
        }
    }

    public HttpContext Http { get; }

    public ApiPath Path { get; }

    public KindInfo Kind { get; }

    public List<string> Warnings { get; }

    public string? Namespace => Kind.Namespaced ? Path.Namespace : null;

    public string Name => Path.Name;

    public string Subresource => Path.Subresource;

    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : null;

    public bool Flag(string name) => Query(name) is { } text && text is "" or "true" or "1" or "True" or "TRUE" or "t";

    public long? Number(string name)
    {
        if (Query(name) is not { Length: > 0 } text)
        {
            return null;
        }
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Status.BadRequest($"strconv.ParseInt: parsing \"{text}\": invalid syntax");
    }

    public bool DryRun => Http.Request.Query["dryRun"] switch
    {
        [] => false,
        [""] => false,
        ["All"] => true,
        var other => throw Status.Invalid("meta.k8s.io", "Options", "",
            [Schema.FieldError.NotSupported("dryRun", other.ToString(), ["All"])]),
    };

    public WriteOptions WriteOptions(bool isApply = false)
    {
        var validation = Query("fieldValidation") switch
        {
            null or "" or "Warn" => FieldValidation.Warn,
            "Strict" => FieldValidation.Strict,
            "Ignore" => FieldValidation.Ignore,
            var other => throw Status.Invalid("meta.k8s.io", "Options", "",
                [Schema.FieldError.NotSupported("fieldValidation", other, ["", "Ignore", "Strict", "Warn"])]),
        };
        var manager = Query("fieldManager") ?? "";
        if (manager.Length > 128 || manager.Any(char.IsControl))
        {
            throw Status.Invalid("meta.k8s.io", "Options", "", [Schema.FieldError.TooLong("fieldManager", 128)]);
        }
        if (manager.Length == 0)
        {
            if (isApply)
            {
                throw Status.Invalid("meta.k8s.io", "PatchOptions", "",
                    [Schema.FieldError.Required("fieldManager", "is required for apply patch")]);
            }
            var agent = Http.Request.Headers.UserAgent.ToString();
            manager = agent.Length == 0 ? "unknown" : agent.Split('/')[0];
            manager = manager.Length > 128 ? manager[..128] : manager;
        }
        if (Query("force") is not null && !isApply)
        {
            throw Status.Invalid("meta.k8s.io", "PatchOptions", "",
                [Schema.FieldError.Forbidden("force", "may not be specified for non-apply patch")]);
        }
        return new WriteOptions
        {
            FieldManager = manager,
            DryRun = DryRun,
            Force = Flag("force"),
            FieldValidation = validation,
            Warnings = Warnings
        };
    }
}
