using System.Security.Cryptography;
using System.Text;

namespace Berth.Edge;

/// <summary>Keeps flows in cookies: one per flow, single use.</summary>
internal sealed class SignInFlowCookies(SessionCookies cookies, CookieProtector protector, TimeProvider clock)
{
    // A used state is remembered on this replica even though its cookie is deleted: a copied cookie does not start a second session.
    private readonly OneTimeIds _used = new(clock, SignInFlow.Lifetime, 200_000);

    /// <summary>Stores a new flow, and makes room for it.</summary>
    public void Write(HttpContext context, SignInFlow flow)
    {
        MakeRoom(context);
        var name = SignInFlow.CookieName(cookies.Names, flow.State);
        cookies.Append(context, name, protector.Protect(ProtectionPurpose.SignInFlow, name, flow.Write()), SignInFlow.Lifetime);
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
    private void MakeRoom(HttpContext context)
    {
        var open = new List<(string Name, DateTimeOffset StartedAt)>();
        foreach (var name in CookieHeader.NamesWith(context.Request.Headers, cookies.Names.FlowPrefix).Distinct(StringComparer.Ordinal)
            .Take(50))
        {
            var flow = CookieHeader.ValuesOf(context.Request.Headers, name).Take(1).Select(v => Open(name, v)).FirstOrDefault();
            if (flow is null)
            {
                cookies.Delete(context, name);
            }
            else
            {
                open.Add((name, flow.StartedAt));
            }
        }

        foreach (var (name, _) in open.OrderByDescending(f => f.StartedAt).Skip(SignInFlow.MaximumConcurrent - 1))
        {
            cookies.Delete(context, name);
        }
    }
}
