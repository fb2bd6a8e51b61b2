using System.Security.Cryptography;
using System.Text;

namespace Berth.Edge;

/// <summary>Keeps flows in cookies: one per flow, single use.</summary>
internal sealed class SignInFlowCookies(SessionCookies cookies, CookieProtector protector, TimeProvider clock)
{
    // Proxies in front of us refuse headers of 8 KiB and more; what is left is for a session and others' cookies that come along.
    private const int MostCookies = 7 * 1024;
    private const int RoomForSession = 1024;

    // A used state is remembered on this replica even though its cookie is deleted: a copied cookie does not start a second session.
    private readonly OneTimeIds _used = new(clock, SignInFlow.Lifetime, 200_000);

    /// <summary>Stores a new flow, and makes room for it.</summary>
    public void Write(HttpContext context, SignInFlow flow)
    {
        var name = SignInFlow.CookieName(cookies.Names, flow.State);
        var value = protector.Protect(ProtectionPurpose.SignInFlow, name, flow.Write());
        MakeRoom(context, SizeOf(name, value));
        cookies.Append(context, name, value, SignInFlow.Lifetime);
    }

    /// <summary>
    /// Where the flow of a state was to lead, whether it is too old or was used; null when this browser has none. Only for somebody who is
    /// signed in already: it begins nothing.
    /// </summary>
    public string? TargetOf(HttpContext context, string state)
    {
        var name = SignInFlow.CookieName(cookies.Names, state);
        return CookieHeader.ValuesOf(context.Request.Headers, name).Take(1)
            .Select(v => protector.Unprotect(ProtectionPurpose.SignInFlow, name, v) is { } bytes ? SignInFlow.Read(bytes)?.ReturnTo : null)
            .FirstOrDefault();
    }

    /// <summary>Finds the flow of a state and uses it up; null when this browser has none, or it is too old, or it was used.</summary>
    public SignInFlow? Take(HttpContext context, string state)
    {
        var name = SignInFlow.CookieName(cookies.Names, state);
        var values = CookieHeader.ValuesOf(context.Request.Headers, name).Take(2).ToList();
        if (values.Count == 0)
        {
            return null;
        }

        cookies.Delete(context, name);
        return values.Count == 1
            && Open(name, values[0]) is { } flow
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(flow.State), Encoding.ASCII.GetBytes(state))
            && _used.TryUse(state)
            ? flow
            : null;
    }

    private SignInFlow? Open(string name, string value)
    {
        if (protector.Unprotect(ProtectionPurpose.SignInFlow, name, value) is not { } bytes || SignInFlow.Read(bytes) is not { } flow)
        {
            return null;
        }

        var age = clock.GetUtcNow() - flow.StartedAt;
        return age < SignInFlow.Lifetime && age > -JwtClaims.Skew ? flow : null;
    }

    // The dead ones go first, then the oldest, so that the Cookie header stays small however many tabs were opened.
    private void MakeRoom(HttpContext context, int size)
    {
        var open = new List<(string Name, DateTimeOffset StartedAt, int Size)>();
        var others = context.Request.Headers.Cookie.Sum(h => (h?.Length ?? 0) + 2);
        foreach (var name in CookieHeader.NamesWith(context.Request.Headers, cookies.Names.FlowPrefix).Distinct(StringComparer.Ordinal)
            .Take(50))
        {
            var values = CookieHeader.ValuesOf(context.Request.Headers, name).ToList();
            var taken = values.Sum(v => SizeOf(name, v));
            others -= taken;
            var flow = Open(name, values[0]);
            if (flow is null)
            {
                cookies.Delete(context, name);
            }
            else
            {
                open.Add((name, flow.StartedAt, taken));
            }
        }

        var kept = 0;
        var total = Math.Max(others, RoomForSession) + size;
        foreach (var (name, _, taken) in open.OrderByDescending(f => f.StartedAt))
        {
            if (kept < SignInFlow.MaximumConcurrent - 1 && total + taken <= MostCookies)
            {
                kept++;
                total += taken;
            }
            else
            {
                // Everything older goes too: the newest tabs are those that somebody looks at.
                kept = SignInFlow.MaximumConcurrent;
                cookies.Delete(context, name);
            }
        }
    }

    // With "=" and "; ".
    private static int SizeOf(string name, string value) => name.Length + value.Length + 3;
}
