using System.Globalization;
using Berth.Resources;

namespace Berth.Edge;

/// <summary>
/// The form for a further workspace; pure functions. Each template's parameters are a group of fields: the script shows the chosen
/// template's, without it all are there under their template's name, and only the chosen template's count.
/// </summary>
internal static class CreateForm
{
    private const string ParameterPrefix = "p.";

    /// <summary>Reads what a person sent.</summary>
    public static CreateWorkspace Read(IFormCollection form, string defaultTemplate)
    {
        var template = form["template"].ToString() is { Length: > 0 } chosen ? chosen : null;
        var prefix = $"{ParameterPrefix}{template ?? defaultTemplate}.";
        return new CreateWorkspace
        {
            DisplayName = form["displayName"].ToString().Trim(),
            Template = template,
            Parameters = form.Where(f => f.Key.StartsWith(prefix, StringComparison.Ordinal) && !string.IsNullOrWhiteSpace(f.Value))
                .ToDictionary(f => f.Key[prefix.Length..], f => f.Value.ToString().Trim(), StringComparer.Ordinal),
        };
    }

    /// <summary>The form; after a mistake with what was typed and what is wrong with it.</summary>
    public static Html Render(IReadOnlyList<TemplateView> templates, string defaultTemplate, string csrf, CreateWorkspace? wish,
        ProblemException? problem)
    {
        var chosen = wish?.Template ?? defaultTemplate;
        var nameState = Described("create-name", problem, "displayName");
        var options = Html.Join(
            templates.Select(t => Html.Of($"<option value=\"{t.Name}\"{t.Name == chosen:selected}>{t.DisplayName}</option>")));
        var groups = Html.Join(templates.Where(t => t.Parameters.Count > 0)
            .Select(t => Group(t, t.Name == chosen ? wish : null, t.Name == chosen ? problem : null)));
        return Html.Of($"""
            <section class="card"><details{problem is not null:open} id="create"><summary>Create another workspace</summary>
            <form class="fields" method="post" action="/dashboard">
            <input type="hidden" name="csrf" value="{csrf}">
            <label>Name
            <input name="displayName" required maxlength="100" autocomplete="off" value="{wish?.DisplayName}"{nameState}>
            <small>What you call it; its address is made from it.</small>{Error("create-name", problem, "displayName")}</label>
            <label>Template<select name="template" data-groups="template">{options}</select>
            {Descriptions(templates)}{Error("create-template", problem, "template", "")}</label>
            {groups}
            <div class="actions"><button class="primary">Create</button></div>
            </form></details></section>
            """);
    }

    private static Html Descriptions(IReadOnlyList<TemplateView> templates) => Html.Join(templates.Where(t => t.Description is not null)
        .Select(t =>
            Html.Of($"<small data-template=\"{t.Name}\"><span class=\"no-script\">{t.DisplayName}: </span>{t.Description}</small>")));

    private static Html Group(TemplateView template, CreateWorkspace? wish, ProblemException? problem) => Html.Of($"""
        <fieldset data-template="{template.Name}"><legend>Options of {template.DisplayName}</legend>
        {Html.Join(template.Parameters.Select(p => Field(template.Name, p, wish?.Parameters?.GetValueOrDefault(p.Name), problem)))}
        </fieldset>
        """);

    private static Html Field(string template, ParameterView parameter, string? value, ProblemException? problem)
    {
        var id = $"create-{template}-{parameter.Name}";
        var key = $"parameters.{parameter.Name}";
        var name = $"{ParameterPrefix}{template}.{parameter.Name}";
        var described = Described(id, problem, key);

        // Not "required": without the script the fields of every template are there, and a browser would ask for those that do not count.
        var required = parameter is { Required: true, Default: null } ? Html.Of($" data-required") : Html.Empty;
        var input = parameter.Type switch
        {
            ParameterTypes.Flag => Select(name, [("true", "Yes"), ("false", "No")], parameter, value, described, required),
            ParameterTypes.Choice => Select(name, [.. (parameter.Values ?? []).Select(v => (v, v))], parameter, value, described, required),
            ParameterTypes.Number => Html.Of($"<input type=\"number\" name=\"{name}\" "
                + $"step=\"1\"{Bound("min", parameter.Minimum)}{Bound("max", parameter.Maximum)} placeholder=\"{parameter.Default}\" "
                + $"value=\"{value}\"{described}{required}>"),
            _ => Html.Of($"<input name=\"{name}\" maxlength=\"256\" autocomplete=\"off\" placeholder=\"{parameter.Default}\" "
                + $"value=\"{value}\"{described}{required}>"),
        };
        return Html.Of($"<label>{parameter.DisplayName}{input}{Hint(parameter)}{Error(id, problem, key)}</label>");
    }

    private static Html Select(string name, (string Value, string Label)[] values, ParameterView parameter, string? value, Html described,
        Html required)
    {
        var first = values.FirstOrDefault(v => v.Value == parameter.Default) is { Label: { } label } ? $"{label} (as the template says)"
            : parameter.Required ? "Choose one" : "As the template says";
        var options = Html.Join(values.Select(v => Html.Of($"<option value=\"{v.Value}\"{v.Value == value:selected}>{v.Label}</option>")));
        return Html.Of($"<select name=\"{name}\"{described}{required}><option value=\"\">{first}</option>{options}</select>");
    }

    private static Html Bound(string attribute, long? number) =>
        number is { } bound ? Html.Of($" {attribute}=\"{bound.ToString(CultureInfo.InvariantCulture)}\"") : Html.Empty;

    private static Html Hint(ParameterView parameter)
    {
        var range = (parameter.Minimum, parameter.Maximum) switch
        {
            ({ } low, { } high) => $"From {low} to {high}.",
            ({ } low, null) => $"At least {low}.",
            (null, { } high) => $"At most {high}.",
            _ => "",
        };
        var need = parameter is { Required: true, Default: null } ? "Needed." : "";
        var text = string.Join(' ', new[] { parameter.Description ?? "", range, need }.Where(t => t.Length > 0));
        return text.Length == 0 ? Html.Empty : Html.Of($"<small>{text}</small>");
    }

    private static Html Described(string id, ProblemException? problem, string key) =>
        problem?.Fields.ContainsKey(key) == true ? Html.Of($" aria-invalid=\"true\" aria-describedby=\"{id}-error\"") : Html.Empty;

    private static Html Error(string id, ProblemException? problem, string key, string subject = "This ") =>
        problem?.Fields.TryGetValue(key, out var message) == true
        ? Html.Of($"<span class=\"error\" id=\"{id}-error\">{subject}{message}</span>")
        : Html.Empty;
}
