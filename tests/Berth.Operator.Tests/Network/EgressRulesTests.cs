using System.Net;
using System.Net.Sockets;
using Berth.Resources;

namespace Berth.Operator.Tests;

public sealed class EgressRulesTests
{
    private const int Rounds = 2000;

    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("0.0.0.0/0")]
    [InlineData("203.0.113.7/32")]
    [InlineData("2001:db8::/32")]
    [InlineData("::/0")]
    [InlineData("fd00:ec2::254/128")]
    public void Cidr_Canonical_IsReadAndWrittenAlike(string text)
    {
        Assert.True(Cidr.TryParse(text, out var network, out _));
        Assert.Equal(text, network.ToString());
    }

    [Theory]
    [InlineData("10.0.0.0", "no prefix length")]
    [InlineData("10.0.0.1/8", "write 10.0.0.0/8")]
    [InlineData("2001:db8::1/32", "write 2001:db8::/32")]
    [InlineData("10.0.0.0/33", "0 to 32")]
    [InlineData("::/129", "0 to 128")]
    [InlineData("10.0.0.0/08", "0 to 32")]
    [InlineData("10.0.0.0/-1", "0 to 32")]
    [InlineData("10.0.0.0/ 8", "0 to 32")]
    [InlineData("10.0.0.0/", "0 to 32")]
    [InlineData("10.1/8", "no network")]
    [InlineData("0x0a.0.0.0/8", "no network")]
    [InlineData("010.0.0.0/8", "no network")]
    [InlineData("167772160/8", "no network")]
    [InlineData("fe80::%eth0/64", "no network")]
    [InlineData("[::1]/128", "no network")]
    [InlineData("::ffff:10.0.0.0/104", "IPv4 notation")]
    [InlineData("everything", "no prefix length")]
    [InlineData("", "no prefix length")]
    [InlineData("/8", "no network")]
    [InlineData("10.0.0.0/8/8", "0 to 32")]
    public void Cidr_WhatPluginsReadDifferently_IsRefused(string text, string problem)
    {
        Assert.False(Cidr.TryParse(text, out _, out var told));
        Assert.Contains(problem, told, StringComparison.Ordinal);
    }

    [Fact]
    public void Cidr_RandomPairs_HoldExactlyWhenAllAddressesAreShared()
    {
        var random = new Random(42);
        for (var i = 0; i < Rounds; i++)
        {
            var (a, b) = (RandomNetwork(random), RandomNetwork(random));
            var (left, right) = (IPNetwork.Parse(a), IPNetwork.Parse(b));
            var holds = left.BaseAddress.AddressFamily == right.BaseAddress.AddressFamily && left.PrefixLength <= right.PrefixLength
                && left.Contains(right.BaseAddress);
            Assert.True(holds == Cidr.Parse(a).Holds(Cidr.Parse(b)), $"{a} {b}");
        }
    }

    [Fact]
    public void Blocks_RandomNetworks_AreWhatTheApiTakes_AndNeverOpenWhatIsAlwaysDenied()
    {
        var random = new Random(7);
        for (var i = 0; i < Rounds; i++)
        {
            var wished = Enumerable.Range(0, random.Next(1, 5)).Select(_ => RandomNetwork(random)).ToList();
            var denied = Enumerable.Range(0, random.Next(0, 3)).Select(_ => RandomNetwork(random, least: 8)).ToList();
            var settings = new NetworkSettings { DeniedDestinations = denied };
            var blocks = EgressRules.Blocks(new TemplateEgress { Mode = EgressModes.Custom, Cidrs = wished }, settings);
            var what = $"{string.Join(' ', wished)} less {string.Join(' ', denied)}";

            // The API wants exceptions that lie in the network and are not all of it.
            Assert.All(blocks, b => Assert.All(b.Except, e => Assert.True(b.Network.Holds(e) && e != b.Network, what)));
            foreach (var address in Addresses(random, wished, denied))
            {
                var reached = blocks.Any(b => Contains(b.Network, address) && !b.Except.Any(e => Contains(e, address)));
                var never = EgressRules.Metadata.Any(m => Contains(m, address)) || denied.Any(d => IPNetwork.Parse(d).Contains(address));
                Assert.False(reached && never, $"{address} is reached by {what}");

                // Nothing that was not wished for, and all that was, as far as it is public or named as narrowly as it is private.
                Assert.False(reached && !wished.Any(w => IPNetwork.Parse(w).Contains(address)), $"{address} is reached by {what}");
                var named = wished.Any(w => IPNetwork.Parse(w) is var n && n.Contains(address) && (!IsPrivate(address) || IsPrivate(n)));
                Assert.True(reached || never || !named, $"{address} is not reached by {what}");
            }
        }
    }

    [Fact]
    public void Blocks_ModeInternet_RandomAddresses_ArePublicOnes()
    {
        var random = new Random(11);
        var blocks = EgressRules.Blocks(null, new NetworkSettings());
        for (var i = 0; i < Rounds; i++)
        {
            var address = RandomAddress(random);
            var reached = blocks.Any(b => Contains(b.Network, address) && !b.Except.Any(e => Contains(e, address)));
            Assert.True(reached == (!IsPrivate(address) && !EgressRules.Metadata.Any(m => Contains(m, address))), address.ToString());
        }
    }

    [Fact]
    public void Check_WrongEgress_TellsEachNetworkAndWhatToWrite()
    {
        var template = TestData.Template(s => s with
        {
            Egress = new TemplateEgress
            {
                Mode = EgressModes.Custom,
                Cidrs = ["10.0.0.1/8", "nowhere/8", "169.254.169.254/32", "198.51.100.7/32", "203.0.113.0/24"],
            },
        });
        var blueprint = Blueprint.For(TestData.Workspace(), template, TestData.Settings with
        {
            Network = new NetworkSettings { DeniedDestinations = ["198.51.100.0/24"] },
        }, new BlueprintFacts());
        Assert.Null(blueprint.Pod);
        Assert.All(blueprint.Problems, p => Assert.Equal((FailureClasses.Template, Reasons.InvalidTemplate), (p.Class, p.Reason)));
        Assert.Collection(
            blueprint.Problems,
            p => Assert.Contains("write 10.0.0.0/8", p.Message, StringComparison.Ordinal),
            p => Assert.Contains("'nowhere/8'", p.Message, StringComparison.Ordinal),
            p => Assert.Contains("metadata address", p.Message, StringComparison.Ordinal),
            p => Assert.Contains("denies to all workspaces", p.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Custom", null, "names no network")]
    [InlineData("Internet", "10.0.0.0/8", "for mode Custom")]
    [InlineData("None", "10.0.0.0/8", "for mode Custom")]
    [InlineData("Everything", null, "use Internet, None or Custom")]
    public void Check_ModeAndNetworksDisagree_IsTold(string mode, string? cidr, string problem)
    {
        var template = TestData.Template(s => s with { Egress = new TemplateEgress { Mode = mode, Cidrs = cidr is null ? null : [cidr] } });
        Assert.Contains(problem, Assert.Single(EgressRules.Check(template, new NetworkSettings())).Message, StringComparison.Ordinal);
    }

    private static bool Contains(Cidr network, IPAddress address) => IPNetwork.Parse(network.ToString()).Contains(address);

    // As the registries of special-purpose addresses say, and not as the operator does.
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "fc00::/7", "fe80::/10",
                "fec0::/10",
            "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    private static bool IsPrivate(IPAddress address) => Special.Any(s => s.Contains(address));

    private static bool IsPrivate(IPNetwork network) => Special.Any(s => s.BaseAddress.AddressFamily == network.BaseAddress.AddressFamily
        && s.PrefixLength <= network.PrefixLength && s.Contains(network.BaseAddress));

    private static IEnumerable<IPAddress> Addresses(Random random, List<string> wished, List<string> denied) =>
    [
        .. wished.Concat(denied).Select(n => Within(random, IPNetwork.Parse(n))),
        .. EgressRules.Metadata.Select(m => IPNetwork.Parse(m.ToString()).BaseAddress),
        .. Special.Select(s => Within(random, s)),
        RandomAddress(random),
    ];

    private static string RandomNetwork(Random random, int least = 0)
    {
        // Near what is special as often as anywhere.
        var address = random.Next(2) == 0 ? RandomAddress(random) : Within(random, Special[random.Next(Special.Length)]);
        var bytes = address.GetAddressBytes();
        var prefix = random.Next(least, (bytes.Length * 8) + 1);
        for (var bit = prefix; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        var network = new IPAddress(bytes);
        return network.IsIPv4MappedToIPv6 ? "2001:db8::/32" : $"{network}/{prefix}";
    }

    private static IPAddress RandomAddress(Random random)
    {
        var bytes = new byte[random.Next(2) == 0 ? 4 : 16];
        random.NextBytes(bytes);
        return new IPAddress(bytes);
    }

    private static IPAddress Within(Random random, IPNetwork network)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        for (var bit = network.PrefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] |= (byte)(random.Next(2) == 0 ? 0 : 0x80 >> (bit % 8));
        }

        return new IPAddress(bytes);
    }
}
