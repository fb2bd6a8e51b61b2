using Microsoft.AspNetCore.Http.Features;

namespace Berth.Edge;

/// <summary>Puts a stream of ours between the client and the forwarder of an upgraded connection.</summary>
internal static class MeteredUpgrade
{
    /// <summary>Wraps whatever the server offers to switch protocols with: HTTP/1.1 Upgrade, or an extended CONNECT.</summary>
    /// <param name="context">The request.</param>
    /// <param name="wrap">Makes the stream when the protocol has been switched; not called when it is not.</param>
    public static void Install(HttpContext context, Func<Stream, Stream> wrap)
    {
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } upgrade)
        {
            context.Features.Set<IHttpUpgradeFeature>(new Upgrade(upgrade, wrap));
        }

        if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
        {
            context.Features.Set<IHttpExtendedConnectFeature>(new Connect(connect, wrap));
        }
    }

    private sealed class Upgrade(IHttpUpgradeFeature inner, Func<Stream, Stream> wrap) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => inner.IsUpgradableRequest;

        public async Task<Stream> UpgradeAsync() => wrap(await inner.UpgradeAsync());
    }

    private sealed class Connect(IHttpExtendedConnectFeature inner, Func<Stream, Stream> wrap) : IHttpExtendedConnectFeature
    {
        public bool IsExtendedConnect => inner.IsExtendedConnect;

        public string? Protocol => inner.Protocol;

        public async ValueTask<Stream> AcceptAsync() => wrap(await inner.AcceptAsync());
    }
}
