using System.Collections.Immutable;
using Berth.Resources;

namespace Berth.Operator;

/// <summary>A network that may be reached, less what lies in it and may not.</summary>
internal sealed record EgressBlock(Cidr Network, ImmutableArray<Cidr> Except);

/// <summary>
/// Which networks workspaces of a template may reach, by the mode of <see cref="TemplateEgress"/>. Pure; fails closed: what cannot
/// be read is not reached.
/// </summary>
internal static class EgressRules
{
    /// <summary>
    /// Where clouds hand out credentials of the node: AWS, Google, Azure, DigitalOcean, OpenStack and others share 169.254.169.254;
    /// 168.63.129.16 is Azure's, 100.100.100.200 Alibaba's, 169.254.170.2 and .23 are the credentials of containers at AWS, the fd
    /// ones IPv6 at AWS and Google.
    /// </summary>
    internal static ImmutableArray<Cidr> Metadata { get; } = WithNat64(
    [
        "169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "168.63.129.16/32", "100.100.100.200/32", "fd00:ec2::254/128",
        "fd00:ec2::23/128", "fd20:ce::254/128",
    ]);

    // This network, RFC 1918, RFC 6598 (carriers and clouds), loopback, link-local, IETF assignments, benchmarks, multicast and
    // reserved. IPv6: unspecified, loopback, NAT64, unique local, link-local, site-local, multicast. IPv4-mapped addresses never
    // travel, and the API refuses them.
    private static readonly ImmutableArray<Cidr> Private = Parse(
    [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    ]);

    private static readonly ImmutableArray<Cidr> Everything = Parse(["0.0.0.0/0", "::/0"]);

    /// <summary>The networks that a template opens, in its own order.</summary>
    internal static ImmutableArray<EgressBlock> Blocks(TemplateEgress? egress, NetworkSettings settings)
    {
        var denied = Denied(settings);
        return egress?.Mode switch
        {
            null or EgressModes.Internet => [.. Everything.Select(n => Block(n, denied))],
            EgressModes.Custom =>
            [
                .. (egress.Cidrs ?? [])
                    .Select(text => Cidr.TryParse(text, out var network, out _) ? network : (Cidr?)null)
                    .OfType<Cidr>()
                    .Distinct()
                    .Where(n => !denied.Any(d => d.Holds(n)))
                    .Select(n => Block(n, denied)),
            ],
            _ => [],
        };
    }

    /// <summary>Says what is wrong with a template's egress.</summary>
    internal static ImmutableArray<BlueprintProblem> Check(WorkspaceTemplate template, NetworkSettings settings)
    {
        var problems = ImmutableArray.CreateBuilder<BlueprintProblem>();
        Check(template, settings, problems);
        return problems.ToImmutable();
    }

    private static void Check(WorkspaceTemplate template, NetworkSettings settings, ImmutableArray<BlueprintProblem>.Builder problems)
    {
        var egress = template.Spec.Egress;
        var networks = egress?.Cidrs ?? [];
        switch (egress?.Mode)
        {
            case null or EgressModes.Internet or EgressModes.None when networks.Count > 0:
                problems.Add(TemplateProblems.Template(template,
                    $"names networks in egress.cidrs, which are for mode Custom, but has mode {egress!.Mode}"));
                return;
            case null or EgressModes.Internet or EgressModes.None:
                return;
            case EgressModes.Custom when networks.Count == 0:
                problems.Add(TemplateProblems.Template(template, "has egress mode Custom and names no network in egress.cidrs"));
                return;
            case EgressModes.Custom:
                break;
            default:
                problems.Add(TemplateProblems.Template(template,
                    $"has the egress mode '{TemplateProblems.Shorten(egress.Mode)}'; use Internet, None or Custom"));
                return;
        }

        foreach (var text in networks)
        {
            if (!Cidr.TryParse(text, out var network, out var problem))
            {
                problems.Add(TemplateProblems.Template(template, $"names '{TemplateProblems.Shorten(text)}' in egress.cidrs, which "
                    + $"{problem}"));
            }
            else if (Metadata.Any(m => m.Holds(network)))
            {
                problems.Add(TemplateProblems.Template(template,
                    $"names {network} in egress.cidrs, a metadata address of clouds, where a workspace could take the node's credentials"));
            }
            else if (Parse(settings.DeniedDestinations).Any(d => d.Holds(network)))
            {
                problems.Add(TemplateProblems.Template(template,
                    $"names {network} in egress.cidrs, which this installation denies to all workspaces (Network:DeniedDestinations)"));
            }
        }
    }

    // What the API asks of an exception: it lies in the network and is not all of it. That is also what makes a private network one
    // that was named: 10.0.0.0/8 is open where it is named, and stays closed where 0.0.0.0/0 is.
    private static EgressBlock Block(Cidr network, ImmutableArray<Cidr> denied)
    {
        var within = denied.Concat(Private).Where(d => d != network && network.Holds(d)).Distinct().ToList();
        return new(network, [.. within.Where(d => !within.Exists(o => o != d && o.Holds(d))).Order(Comparer)]);
    }

    private static ImmutableArray<Cidr> Denied(NetworkSettings settings) => [.. Metadata, .. Parse(settings.DeniedDestinations)];

    private static ImmutableArray<Cidr> WithNat64(string[] networks) =>
    [
        .. Parse(networks),

        // The same IPv4 addresses as they are reached through the well-known NAT64 prefix.
        .. Parse(networks).Where(n => !n.IsV6).Select(n => Cidr.Parse($"64:ff9b::{(uint)n.First >> 16:x}:{(uint)n.First & 0xffff:x}/128")),
    ];

    private static ImmutableArray<Cidr> Parse(IEnumerable<string> networks) => [.. networks.Select(Cidr.Parse)];

    private static Comparer<Cidr> Comparer { get; } = Comparer<Cidr>.Create((a, b) =>
        a.First != b.First ? a.First.CompareTo(b.First) : a.Prefix.CompareTo(b.Prefix));
}
