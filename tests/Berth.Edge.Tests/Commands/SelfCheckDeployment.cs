using Kube.Client.Models;
using Berth.Resources;

namespace Berth.Edge.Tests.Commands;

/// <summary>A whole edge with somebody signed in and a workspace of theirs, and everything that a check can be given.</summary>
internal sealed class SelfCheckDeployment : IAsyncDisposable
{
    private readonly ProductFixture _edge;
    private readonly string[] _args;

    private SelfCheckDeployment(ProductFixture edge, Upstream workspace, string[] args) => (_edge, Workspace, _args) = (edge, workspace,
        args);

    public Upstream Workspace { get; }

    public int Port => _edge.Port;

    public static async Task<SelfCheckDeployment> StartAsync()
    {
        var edge = await ProductFixture.StartAsync();
        var workspace = await Upstream.StartAsync();
        var browser = await edge.SignedInAsync("user1");
        using var api = edge.Api("user1");
        using var made = await api.PostAsync("/api/workspaces", null);
        edge.MakeReady(edge.NameOf("user1"), workspace.Port);
        var host = edge.HostOf("user1");
        await ProductFixture.Until(() => edge.Get<WorkspaceTable>().TryFindByHost(new Uri(host).Host, out var entry) && entry.IsReady);
        using var opened = await browser.FollowAsync(host + "/");
        return new SelfCheckDeployment(edge, workspace,
        [
            ProductFixture.Origin, "--workspace", host, "--token", api.DefaultRequestHeaders.Authorization!.Parameter!,
            "--cookie", browser.CookieHeader("localhost"), "--workspace-cookie", browser.CookieHeader(new Uri(host).Host),
        ]);
    }

    /// <summary>Everything that a check could have changed.</summary>
    public string Standing() => _edge.Kube.Find<UserWorkspace>(_edge.NameOf("user1"))!.Metadata.ResourceVersion
        + _edge.Get<WorkspaceTable>().Count;

    public async Task<(int Code, string[] Lines, string Errors)> RunAsync(int port)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await SelfCheckCommand.RunAsync([.. _args, "--connect", $"127.0.0.1:{port}"], output, errors, TimeProvider.System,
            default);
        return (code, output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries), errors.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await _edge.DisposeAsync();
        await Workspace.DisposeAsync();
    }
}
