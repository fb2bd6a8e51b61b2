using System.Text.Json.Serialization.Metadata;
using Kube.Client.Json;

namespace Kube.Client.Models;

#pragma warning disable CS1591 // Names and meanings are those of the Kubernetes API reference.

/// <summary>authentication.k8s.io/v1 TokenReview: asks the API server whose a token is. Created, never stored.</summary>
public sealed record TokenReview : IKubeResource<TokenReview>
{
    public static ResourceDescriptor Descriptor { get; } =
        new("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", Namespaced: false);

    public static JsonTypeInfo<TokenReview> JsonTypeInfo => KubeJson.Default.TokenReview;

    public string ApiVersion => Descriptor.ApiVersion;

    public string Kind => Descriptor.Kind;

    public ObjectMeta Metadata { get; init => field = value ?? new(); } = new();

    public TokenReviewSpec? Spec { get; init; }

    public TokenReviewStatus? Status { get; init; }
}

/// <summary>authentication.k8s.io/v1 TokenReviewSpec. It has no text form that holds the token.</summary>
public sealed record TokenReviewSpec
{
    public string? Token { get; init; }

    public IReadOnlyList<string>? Audiences { get; init; }

    public override string ToString() => nameof(TokenReviewSpec);
}

/// <summary>authentication.k8s.io/v1 TokenReviewStatus.</summary>
public sealed record TokenReviewStatus
{
    public bool? Authenticated { get; init; }

    public TokenReviewUser? User { get; init; }

    public IReadOnlyList<string>? Audiences { get; init; }

    public string? Error { get; init; }
}

/// <summary>authentication.k8s.io/v1 UserInfo.</summary>
public sealed record TokenReviewUser
{
    public string? Username { get; init; }

    public string? Uid { get; init; }

    public IReadOnlyList<string>? Groups { get; init; }

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Extra { get; init; }
}
