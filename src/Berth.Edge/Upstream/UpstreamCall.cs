using Berth.Accounts;

namespace Berth.Edge;

/// <summary>What a try came to before anything of the answer was passed on.</summary>
internal enum UpstreamVerdict
{
    /// <summary>The answer is passed on.</summary>
    Relayed,

    /// <summary>The upstream refused the token.</summary>
    TokenRefused,

    /// <summary>It sends elsewhere.</summary>
    RedirectRefused,

    /// <summary>It gave an answer that has no meaning for our caller.</summary>
    AnswerRefused,
}

/// <summary>One call, while it is on its way; a feature of the request, for the transformer.</summary>
internal sealed class UpstreamCall(UpstreamSettings settings, Caller caller, CanonicalRequest request, string path)
{
    /// <summary>The API.</summary>
    public UpstreamSettings Settings { get; } = settings;

    /// <summary>Who calls.</summary>
    public Caller Caller { get; } = caller;

    /// <summary>The request.</summary>
    public CanonicalRequest Request { get; } = request;

    /// <summary>Path below the base, canonical.</summary>
    public string Path { get; } = path;

    /// <summary>The token of this try.</summary>
    public VaultAccessToken? Token { get; set; }

    /// <summary>How the try ended.</summary>
    public UpstreamVerdict Verdict { get; set; }

    /// <summary>Told when the answer begins.</summary>
    public ResponseHeaderLimit? Limit { get; set; }

    /// <summary>Address of the request at the upstream, without anybody parsing it again.</summary>
    public string Address => Settings.Origin + Settings.BasePath + Path + Request.Query;
}
