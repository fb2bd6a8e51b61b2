using Microsoft.Playwright;
using Testing;

namespace Berth.EndToEnd;

/// <summary>One Berth in a folder and on ports of its own, started anew as often as a test wants, and one browser.</summary>
public abstract class BerthFixture : IAsyncLifetime
{
    private readonly Dictionary<string, string> _environment = [];
    private BerthProcess? _berth;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The folder of this Berth.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("berth-e2e").FullName;

    /// <summary>The edge's origin.</summary>
    public string Origin { get; private set; } = "";

    /// <summary>The development provider's origin, where it runs.</summary>
    public string Provider => $"http://localhost:{_environment["IDP_PORT"]}";

    /// <summary>Kubeconfig of the embedded API.</summary>
    public string Kubeconfig => Path.Combine(Folder, "kubeconfig");

    /// <summary>Whether it has a database, and with it a token vault.</summary>
    internal bool HasVault => Berth.Output.Contains("Accounts in     PostgreSQL", StringComparison.Ordinal);

    internal BerthProcess Berth => _berth ?? throw new InvalidOperationException("Berth is not running.");

    public async Task InitializeAsync()
    {
        // The database server runs as a user of its own where tests run as root: it must be able to come by.
        File.SetUnixFileMode(Folder, (UnixFileMode)Convert.ToInt32("755", 8));
        var ports = LoopbackPort.Free(3);
        Origin = $"http://localhost:{ports[0]}";
        _environment["PORT"] = $"{ports[0]}";
        _environment["IDP_PORT"] = $"{ports[1]}";
        _environment["BERTH_DATA"] = Folder;
        foreach (var (name, value) in await ConfigureAsync(Origin, ports[2]))
        {
            _environment[name] = value;
        }

        if (IsReady)
        {
            await StartAsync();
        }
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        if (_berth is not null)
        {
            await _berth.DisposeAsync();
        }

        await ReleaseAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Starts Berth on the same folder and ports as before; returns the ready line.</summary>
    internal async Task<string> StartAsync()
    {
        _berth = BerthProcess.Start(_environment);
        return await _berth.ReadyAsync();
    }

    /// <summary>A page of the documentation.</summary>
    internal static string Documentation(string name) => Checkout.Read("docs", name);

    /// <summary>A browser window with no cookies. Skips the test where there is no Chromium.</summary>
    public async Task<IBrowserContext> NewPersonAsync()
    {
        Skip.If(Tools.Chromium is null, "needs Chromium (apt-get install chromium, or BERTH_TEST_CHROMIUM=path)");
        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = Tools.Chromium,
                Args =
                [
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ],
            }
        );
        var context = await _browser.NewContextAsync(
            new BrowserNewContextOptions
            {
                ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
            }
        );
        context.SetDefaultTimeout(60_000);
        return context;
    }

    /// <summary>Whether what <see cref="ConfigureAsync"/> needs is there.</summary>
    protected virtual bool IsReady => true;

    /// <summary>More environment for Berth.</summary>
    protected virtual Task<IReadOnlyDictionary<string, string>> ConfigureAsync(string origin, int freePort) =>
        Task.FromResult<IReadOnlyDictionary<string, string>>(new Dictionary<string, string>());

    /// <summary>Stops what <see cref="ConfigureAsync"/> started.</summary>
    protected virtual Task ReleaseAsync() => Task.CompletedTask;
}
