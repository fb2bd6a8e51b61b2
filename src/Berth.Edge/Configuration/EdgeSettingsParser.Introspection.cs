namespace Berth.Edge;

/// <content>Introspection of opaque tokens.</content>
internal sealed partial class EdgeSettingsParser
{
    private IntrospectionSettings? Introspection(string name, IssuerOptions issuer, string? secret, bool isFirst)
    {
        var options = issuer.Introspection;
        if (!options.Enabled)
        {
            return null;
        }

        name += ":Introspection";
        if (!isFirst)
        {
            Problem(
                $"{name}:Enabled", "is true for a second issuer; an opaque token does not say whose it is, and is shown to one provider");
        }

        if (secret is null)
        {
            Problem($"{name}:Enabled", "needs a ClientSecret: providers tell about tokens only to clients that prove who they are");
        }

        if (string.IsNullOrEmpty(issuer.Audience) && options.Clients.Count == 0)
        {
            Problem($"{name}:Clients", "is empty, and there is no Audience: no token could be accepted; give one of both");
        }

        if (options.CacheFor < TimeSpan.FromSeconds(1) || options.CacheFor > TimeSpan.FromMinutes(10))
        {
            Problem($"{name}:CacheFor", $"is {options.CacheFor}; give a time from 1 second to 10 minutes, such as 00:01:00");
        }

        if (options.Timeout < TimeSpan.FromMilliseconds(100) || options.Timeout > TimeSpan.FromSeconds(10))
        {
            Problem($"{name}:Timeout", $"is {options.Timeout}; give a time from 0.1 to 10 seconds, such as 00:00:03");
        }

        return new IntrospectionSettings([.. options.Clients], options.CacheFor, options.Timeout);
    }
}
