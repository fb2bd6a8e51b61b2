using System.Text.Json.Nodes;

namespace Kube.Server.Tests.Http;

/// <summary>One server for the tests of a class.</summary>
public sealed class ApiFixture : IAsyncLifetime
{
    public ApiServer Api { get; private set; } = null!;

    public KubeServer Server => Api.Server;

    public HttpClient Client => Api.Client;

    public async Task InitializeAsync() => Api = await ApiServer.StartAsync();

    public async Task DisposeAsync() => await Api.DisposeAsync();

    public Task<(int Code, JsonObject Body)> SendAsync(
        string method, string path, string? body = null, string type = "application/json", string accept = "application/json") =>
        Api.SendAsync(method, path, body, type, accept);

    public Task<string> NamespaceAsync() => Api.NamespaceAsync();
}
