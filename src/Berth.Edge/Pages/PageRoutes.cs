using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>The pages of the edge origin.</summary>
internal static partial class PageRoutes
{
    // A form of ours has a handful of short fields.
    private static readonly FormOptions FormLimits = new()
    {
        ValueCountLimit = 100,
        ValueLengthLimit = 4096,
        KeyLengthLimit = 256,
        BufferBodyLengthLimit = 64 * 1024
    };

    /// <summary>Maps all pages and the fallback.</summary>
    public static void MapBerthPages(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var open = services.GetRequiredService<PublicPages>();
        var dashboard = services.GetRequiredService<DashboardPages>();
        var connections = services.GetRequiredService<ConnectionPages>();
        var tokens = services.GetRequiredService<TokenPages>();
        var assets = services.GetRequiredService<EdgeAssets>();
        endpoints.Page("/", open.LandingAsync);
        endpoints.Page("/tos", open.TermsAsync);
        endpoints.Page("/privacy", open.PrivacyAsync);
        endpoints.Page("/forgot-password", open.ForgotPasswordAsync);
        endpoints.Page("/assets/{name}", async context =>
        {
            if (!await assets.TryServeAsync(context, (string)context.Request.RouteValues["name"]!).ConfigureAwait(false))
            {
                await NotFoundAsync(context).ConfigureAwait(false);
            }
        });

        endpoints.OwnPage("/start", dashboard.StartAsync);
        endpoints.OwnPage("/dashboard", dashboard.ListAsync);
        endpoints.OwnPage("/dashboard/events", dashboard.EventsAsync);
        endpoints.OwnPage("/dashboard/{name}", dashboard.DetailsAsync);
        endpoints.OwnPage("/dashboard/{name}/logs", dashboard.LogsAsync);
        endpoints.OwnPage("/dashboard/{name}/delete", dashboard.AskDeleteAsync);
        endpoints.Form("/dashboard", dashboard.CreateAsync);
        endpoints.Form("/dashboard/{name}/{verb}", dashboard.ActAsync);
        endpoints.OwnPage(ConnectionPages.Path, connections.ListAsync);
        endpoints.Form(ConnectionPages.Path + "/{name}/connect", connections.ConnectAsync);
        endpoints.Form(ConnectionPages.Path + "/{id}/disconnect", connections.DisconnectAsync);
        endpoints.OwnPage(TokenPages.Path, tokens.ListAsync);
        endpoints.Form(TokenPages.Path, tokens.CreateAsync);
        endpoints.Form(TokenPages.Path + "/{id}/revoke", tokens.RevokeAsync);
        endpoints.OwnPage(RequestPages.Path, services.GetRequiredService<RequestPages>().ShowAsync);
        endpoints.MapFallback("/{**path}", NotFoundAsync);
    }

    private static void Page(this IEndpointRouteBuilder endpoints, string pattern, RequestDelegate page) =>
        endpoints.MapMethods(pattern, ["GET", "HEAD"], context => GuardAsync(context, () => page(context)));

    private static void OwnPage(this IEndpointRouteBuilder endpoints, string pattern, Func<HttpContext, Caller, Task> page) =>
        endpoints.Page(pattern, context => context.GetCaller() is { } caller ? page(context, caller) : SignInAsync(context));

    private static void Form(this IEndpointRouteBuilder endpoints, string pattern, Func<HttpContext, Caller, IFormCollection,
        Task> handle) =>
        endpoints.MapPost(pattern, context => GuardAsync(context, async () =>
        {
            if (context.GetCaller() is not { } caller)
            {
                await SignInAsync(context).ConfigureAwait(false);
                return;
            }

            if (!context.Request.HasFormContentType)
            {
                throw new ProblemException(415, "media-type", "The form cannot be read",
                    "This address takes forms; programs use /api/workspaces.");
            }

            context.Features.Set<IFormFeature>(new FormFeature(context.Request, FormLimits));
            IFormCollection form;
            try
            {
                form = await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false);
            }
            catch (InvalidDataException error)
            {
                throw new ProblemException(400, "bad-form", "The form cannot be read", error.Message, cause: error);
            }

            if (!context.RequestServices.GetRequiredService<CsrfTokens>().IsValid(caller, form[CsrfTokens.Field]))
            {
                throw new ProblemException(403, "form-expired", "This form has expired",
                    "It was made for another session. Open the page again and repeat what you did.");
            }

            await handle(context, caller, form).ConfigureAwait(false);
        }));

    /// <summary>A person goes to sign in and comes back here; a program is told.</summary>
    private static Task SignInAsync(HttpContext context)
    {
        var canonical = context.GetCanonical();
        if (canonical.IsNavigation)
        {
            context.Response.Headers.CacheControl = "no-store";
            context.Response.Redirect("/login?return=" + Uri.EscapeDataString(canonical.Path + canonical.Query));
            return Task.CompletedTask;
        }

        return PagesOf(context).WriteAsync(context, EdgeMessages.SignInRequired("/login"));
    }

    private static Task NotFoundAsync(HttpContext context) => PagesOf(context)
        .WriteAsync(context, EdgeMessages.NotFound() with { Actions = [new("Go to the start page", "/")] });

    private static IEdgePages PagesOf(HttpContext context) => context.RequestServices.GetRequiredService<IEdgePages>();

    private static async Task GuardAsync(HttpContext context, Func<Task> page)
    {
        try
        {
            await page().ConfigureAwait(false);
        }
        catch (ProblemException problem) when (!context.Response.HasStarted)
        {
            if (problem.RetryAfter is { } wait)
            {
                context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString();
            }

            await PagesOf(context).WriteAsync(context, new EdgeMessage
            {
                Status = problem.Status,
                Reason = problem.Reason,
                Title = problem.Title,
                Detail = problem.Message,
                Actions = [new("Go to your workspaces", "/dashboard")],
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The person went on; nobody reads an answer.
        }
        catch (Exception error) when (!context.Response.HasStarted && error is not BadHttpRequestException)
        {
            LogFailed(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Berth.Edge.Pages"),
                context.TraceIdentifier, error);
            context.Response.Clear();
            await PagesOf(context).WriteAsync(context, new EdgeMessage
            {
                Status = 500,
                Reason = "internal",
                Title = "Something went wrong",
                Detail = "It is not your fault. Try again; if it stays, tell the people who run this service the request id below.",
                Actions = [new("Go to your workspaces", "/dashboard")],
            }).ConfigureAwait(false);
        }
    }

    [LoggerMessage(5301, LogLevel.Error, "A page failed (request {RequestId}).")]
    private static partial void LogFailed(ILogger logger, string requestId, Exception error);
}
