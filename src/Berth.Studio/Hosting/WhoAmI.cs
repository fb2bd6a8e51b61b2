namespace Berth.Studio.Hosting;

/// <summary>The answer of <c>/api/whoami</c>: what the page shows of the person and of the workspace.</summary>
internal sealed record WhoAmI
{
    /// <summary>The workspace's name.</summary>
    public required string Workspace { get; init; }

    /// <summary>The person's subject at their provider.</summary>
    public required string Subject { get; init; }

    /// <summary>The person's role here.</summary>
    public required string Role { get; init; }

    /// <summary>Whether the role may change files and open terminals.</summary>
    public required bool CanWrite { get; init; }

    /// <summary>The person's name, where their provider tells it.</summary>
    public string? Name { get; init; }

    /// <summary>The person's e-mail address, where their provider tells it.</summary>
    public string? Email { get; init; }

    /// <summary>Answers a request.</summary>
    public static Task HandleAsync(HttpContext context, StudioOptions options)
    {
        var person = context.Person();
        var answer = new WhoAmI
        {
            Workspace = options.Name ?? person.Workspace ?? new WorkspaceInfo(options.InfoFolder).Read("name") ?? StudioOptions.NoName,
            Subject = person.Subject,
            Role = person.Role,
            CanWrite = person.CanWrite,
            Name = person.Name,
            Email = person.Email,
        };
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(answer, StudioJson.Default.WhoAmI, null, context.RequestAborted);
    }
}

/// <summary>The probe of the platform: the process answers and its folder is there.</summary>
internal static class HealthEndpoint
{
    /// <summary>Where it is.</summary>
    public const string Path = "/healthz";

    /// <summary>Answers a request.</summary>
    public static Task HandleAsync(HttpContext context, StudioOptions options)
    {
        var healthy = Directory.Exists(options.Root);
        context.Response.StatusCode = healthy ? 200 : 503;
        context.Response.ContentType = "text/plain";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(healthy ? "ok\n" : "the workspace's folder is not there\n", context.RequestAborted);
    }
}
