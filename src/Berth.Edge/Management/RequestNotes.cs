namespace Berth.Edge;

/// <summary>What is noted while a request is decided on, for <c>why</c>, the metrics and the audit log. Only refusals have one.</summary>
internal sealed class RequestNotes
{
    /// <summary>The rule that decided: the reason of the message that was answered, with the finer one where there is one.</summary>
    public string Rule { get; private set; } = "";

    /// <summary>What was wrong with a token; null for none.</summary>
    public TokenFinding? Token { get; private set; }

    /// <summary>Who was refused, where that is known and the request has no caller; null otherwise.</summary>
    public Caller? Refused { get; private set; }

    /// <summary>Notes the rule of a message; the first one decided, what is answered after it is how it was said.</summary>
    public static void Decided(HttpContext context, string reason)
    {
        var notes = Of(context);
        notes.Rule = notes.Rule.Length == 0 ? reason : notes.Rule;
    }

    /// <summary>Notes why somebody who is known may not use a workspace.</summary>
    public static void Denied(HttpContext context, Caller caller, DenyReason reason)
    {
        var notes = Of(context);
        notes.Refused = caller;
        notes.Rule = reason switch
        {
            DenyReason.ShareEnded => "forbidden: share-ended",
            DenyReason.ReadOnly => "forbidden: read-only",
            _ => "forbidden: not-shared",
        };
    }

    /// <summary>Notes what was wrong with a token.</summary>
    public static void TokenRefused(HttpContext context, TokenFinding finding) => Of(context).Token = finding;

    private static RequestNotes Of(HttpContext context)
    {
        if (context.State().Notes is { } known)
        {
            return known;
        }

        var notes = new RequestNotes();
        context.State().Notes = notes;
        return notes;
    }
}
