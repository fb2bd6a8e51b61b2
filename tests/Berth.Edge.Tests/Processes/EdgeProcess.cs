using System.Diagnostics;
using System.Net;
using System.Text;
using Testing;

namespace Berth.Edge.Tests.Processes;

/// <summary>The edge as it is shipped: the program, in a process of its own, with a configuration file.</summary>
internal sealed class EdgeProcess : IAsyncDisposable
{
    private readonly HttpClient _probe = new();
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly int _management;
    private bool _isDisposed;

    private EdgeProcess(Process process, int port, int management)
    {
        _process = process;
        Port = port;
        _management = management;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
    }

    public int Port { get; }

    /// <summary>The program of this version.</summary>
    public static string Shipped => typeof(Program).Assembly.Location;

    /// <param name="configuration">Makes the configuration for the listener's and the management's port.</param>
    /// <param name="kubeconfig">File to find the API with.</param>
    /// <param name="environment">More environment variables.</param>
    /// <param name="program">Another version's Berth.Edge.dll.</param>
    /// <param name="mustBeReady">Whether to wait until it is.</param>
    public static async Task<EdgeProcess> StartAsync(
        Func<int, int, string> configuration, string kubeconfig, (string Name, string Value)[] environment, string? program = null,
        bool mustBeReady = true)
    {
        var ports = LoopbackPort.Free(2);
        var (port, management) = (ports[0], ports[1]);
        var file = Path.Combine(Path.GetDirectoryName(kubeconfig)!, $"edge-{port}.json");
        await File.WriteAllTextAsync(file, configuration(port, management));
        var info = new ProcessStartInfo("dotnet", ["exec", program ?? Shipped, "--config", file])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        info.Environment["KUBECONFIG"] = kubeconfig;
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        var edge = new EdgeProcess(Process.Start(info)!, port, management);
        edge._process.BeginOutputReadLine();
        edge._process.BeginErrorReadLine();
        if (mustBeReady)
        {
            await edge.ReadyAsync();
        }

        return edge;
    }

    /// <summary>A client of this replica under the public name.</summary>
    public HttpClient Client(string? token = null)
    {
        var client = new HttpClient(Loopback.Handler(Port)) { BaseAddress = new Uri(ProductFixture.Origin) };
        if (token is not null)
        {
            client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        }

        return client;
    }

    /// <summary>Asks it to end, as a cluster does: SIGTERM.</summary>
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Ends it as a machine that fails does: SIGKILL, nothing is finished.</summary>
    public void Kill() => _process.Kill();

    /// <summary>What the probe of readiness says: status and text; null while nothing listens there.</summary>
    public async Task<(HttpStatusCode Status, string Text)?> ReadinessAsync()
    {
        try
        {
            using var answer = await _probe.GetAsync($"http://127.0.0.1:{_management}/readyz");
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>What it has said so far.</summary>
    public string Output()
    {
        lock (_output)
        {
            return _output.ToString();
        }
    }

    /// <summary>Whether it wants new connections.</summary>
    public async Task<bool> IsReadyAsync() => await ReadinessAsync() is { Status: HttpStatusCode.OK };

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _probe.Dispose();
    }

    private async Task ReadyAsync()
    {
        var began = Stopwatch.GetTimestamp();
        while (await ReadinessAsync() is var said && said is not { Status: HttpStatusCode.OK })
        {
            if (_process.HasExited)
            {
                // Its last words may still be on their way.
                await _process.WaitForExitAsync();
                throw new InvalidOperationException($"The edge ended with {_process.ExitCode} before it was ready:\n{Output()}");
            }

            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(90))
            {
                throw new InvalidOperationException($"The edge did not become ready, because: {said?.Text}\n{Output()}");
            }

            await Task.Delay(50);
        }
    }

    private void Keep(string? line)
    {
        lock (_output)
        {
            _output.AppendLine(line);
        }
    }
}
