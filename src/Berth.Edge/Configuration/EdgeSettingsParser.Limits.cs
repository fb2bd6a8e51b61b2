namespace Berth.Edge;

/// <summary>Limits.</summary>
internal sealed partial class EdgeSettingsParser
{
    private void Limits(EdgeLimitOptions limits)
    {
        Rate("Limits:Address", limits.Address);
        Rate("Limits:SignIn", limits.SignIn);
        Rate("Limits:Person", limits.Person);
        Rate("Limits:Workspace", limits.Workspace);
        Count("Limits:RequestsPerWorkspace", limits.RequestsPerWorkspace);
        Count("Limits:WebSocketsPerPerson", limits.WebSocketsPerPerson);
        Count("Limits:WebSocketsPerWorkspace", limits.WebSocketsPerWorkspace);
    }

    private void Rate(string name, RateOptions rate)
    {
        Count($"{name}:Requests", rate.Requests);
        if (rate.Window < TimeSpan.FromSeconds(1) || rate.Window > TimeSpan.FromHours(1))
        {
            Problem($"{name}:Window", $"is {rate.Window}; give a time from 1 second to 1 hour, such as 00:01:00");
        }
    }

    private void Count(string name, int value)
    {
        if (value is < 0 or > 1_000_000)
        {
            Problem(name, $"is {value}; give a number up to 1000000, or 0 for no limit");
        }
    }
}
