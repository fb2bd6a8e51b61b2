namespace Berth.Installed.Tests;

/// <summary>The roles are the least: what the API's audit log has over a whole exercise is what they give.</summary>
[Collection(nameof(Installation))]
public class UsedRightsTests(Installation berth)
{
    [SkippableFact]
    public async Task Exercise_OfEverything_UsesEachRight_AndMissesNone()
    {
        Given.Installation();
        Skip.If(Given.AuditLog is null, "needs the API server's audit log with service accounts' requests (BERTH_TEST_AUDIT_LOG=file)");

        // From nothing: what is asked for once only, at the very first start, counts too.
        await berth.RemoveAsync();
        await berth.StartAsync();
        await new Exercise(berth).RunAsync();

        var log = new AuditLog(Given.AuditLog!, berth.Since);
        var used = await log.UsedAsync(berth.Namespace);
        var granted = Rights.Granted(berth).Keys.Select(g => g.Right.Any()).ToHashSet();
        var explained = Rights.Table("## Granted and not used in the exercise").Select(r => r.Right.Any()).ToHashSet();

        string[] wrong =
        [
            .. (await log.RefusedAsync(berth.Namespace)).Select(r => $"refused: {r}"),
            .. granted.Except(used).Except(explained).Select(r => $"granted and not used: {r}"),
            .. explained.Except(granted).Select(r => $"explained and not granted: {r}"),
        ];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }
}
