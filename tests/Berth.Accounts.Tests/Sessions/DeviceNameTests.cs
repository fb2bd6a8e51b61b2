namespace Berth.Accounts.Tests.Sessions;

public class DeviceNameTests
{
    [Theory]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0",
        "Edge on Windows")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
        "Safari on macOS")]
    [InlineData("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
        "Chrome on Android")]
    [InlineData("curl/8.5.0", "curl")]
    [InlineData("my-tool/1.0 <script>", "my-tool/1.0")]
    [InlineData("", "Unknown device")]
    [InlineData(null, "Unknown device")]
    [InlineData("\u0000\u0001", "Unknown device")]
    public void FromUserAgent_Header_ShortName(string? header, string expected) => Assert.Equal(expected, DeviceName.FromUserAgent(header));

    [Fact]
    public void FromUserAgent_VeryLongWord_AtMost64Characters() =>
        Assert.Equal(64, DeviceName.FromUserAgent(new string('x', 10_000)).Length);
}
