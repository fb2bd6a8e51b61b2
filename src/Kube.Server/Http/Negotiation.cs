using Microsoft.AspNetCore.Http;

namespace Kube.Server.Http;

internal enum Shape
{
    Plain,
    Table,
    Partial,
}

/// <summary>What the client wants to read, from Accept (in the client's order, quality ignored as in Kubernetes' clients).</summary>
internal readonly record struct Wanted(Shape Shape, bool Yaml, string MetaVersion)
{
    public string ContentType(string kind) => Shape == Shape.Plain ? Yaml ? "application/yaml" : "application/json" : "application/json";

    public static Wanted From(HttpRequest request)
    {
        var accept = request.Headers.Accept.ToString();
        if (accept.Length == 0)
        {
            return new Wanted(Shape.Plain, false, "v1");
        }
        foreach (var range in accept.Split(','))
        {
            var parts = range.Split(';', StringSplitOptions.TrimEntries);
            string Parameter(string name) =>
                Array.Find(parts, p => p.StartsWith(name + "=", StringComparison.Ordinal)) is { } found ? found[(name.Length + 1)..] : "";
            var version = Parameter("v") is { Length: > 0 } v ? v : "v1";
            switch (parts[0])
            {
                case "application/json":
                    switch (Parameter("as"))
                    {
                        case "Table" when version is "v1" or "v1beta1":
                            return new Wanted(Shape.Table, false, version);
                        case "PartialObjectMetadata" or "PartialObjectMetadataList" when version is "v1" or "v1beta1":
                            return new Wanted(Shape.Partial, false, version);
                        case "":
                            return new Wanted(Shape.Plain, false, version);
                    }
                    break;
                case "application/yaml":
                    return new Wanted(Shape.Plain, true, version);
                case "*/*" or "application/*" or "text/plain" or "text/*":
                    return new Wanted(Shape.Plain, false, version);
            }
        }
        throw Status.NotAcceptable("application/json", "application/yaml");
    }
}
