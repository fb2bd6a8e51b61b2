using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Kube.Server.Schema;

namespace Kube.Server.Kinds;

/// <summary>Rules of network policies: their networks.</summary>
internal static class NetworkPolicyRules
{
    public static void Validate(JsonObject policy, List<FieldError> errors)
    {
        foreach (var (list, side) in (ReadOnlySpan<(string, string)>)[("ingress", "from"), ("egress", "to")])
        {
            var rules = Json.Objects(Json.At(policy, "spec", list)).ToList();
            for (var i = 0; i < rules.Count; i++)
            {
                var peers = Json.Objects(rules[i][side]).ToList();
                for (var j = 0; j < peers.Count; j++)
                {
                    if (peers[j]["ipBlock"] is JsonObject block)
                    {
                        ValidateBlock(block, $"spec.{list}[{i}].{side}[{j}].ipBlock", errors);
                    }
                }
            }
        }
    }

    private static void ValidateBlock(JsonObject block, string path, List<FieldError> errors)
    {
        var text = Json.Text(block, "cidr") ?? "";
        if (text.Length == 0)
        {
            errors.Add(FieldError.Required(path + ".cidr"));
            return;
        }
        if (!TryNetwork(text, out var network))
        {
            errors.Add(FieldError.Invalid(path + ".cidr", text, "not a valid CIDR"));
            return;
        }
        var index = 0;
        foreach (var except in Json.StringItems(block["except"]))
        {
            if (!TryNetwork(except, out var hole))
            {
                errors.Add(FieldError.Invalid($"{path}.except[{index}]", except, "not a valid CIDR"));
            }
            else if (!network.Contains(hole.BaseAddress) || hole.PrefixLength <= network.PrefixLength)
            {
                errors.Add(FieldError.Invalid($"{path}.except[{index}]", except, "must be a strict subset of `cidr`"));
            }
            index++;
        }
    }

    // 10.0.0.1/8 is a network here, whatever its host bits say.
    private static bool TryNetwork(string text, out IPNetwork network)
    {
        network = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out var address)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return false;
        }
        var bytes = address.GetAddressBytes();
        if (length > bytes.Length * 8)
        {
            return false;
        }
        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }
        network = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }
}
