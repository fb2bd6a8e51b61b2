namespace Kube.Client.Http;

/// <summary>A request as data, so that it can be sent more than once.</summary>
internal sealed record KubeRequest(HttpMethod Method, string PathAndQuery)
{
    /// <summary>Body, empty for none.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Media type of the body.</summary>
    public string? ContentType { get; init; }

    /// <summary>What is accepted.</summary>
    public string Accept { get; init; } = "application/json";

    /// <summary>The answer goes on for as long as both sides like: own connections, no time-out.</summary>
    public bool LongRunning { get; init; }

    /// <summary>It states the version that it is about: once done, it cannot be done again.</summary>
    public bool Versioned { get; init; }

    /// <summary>Reads, and apply patches to whatever is there: doing them twice is the same as once.</summary>
    public bool Idempotent => Method == HttpMethod.Get || Method == HttpMethod.Head
        || (Method == HttpMethod.Patch && !Versioned && ContentType is "application/apply-patch+yaml" or "application/apply-patch+cbor");
}
