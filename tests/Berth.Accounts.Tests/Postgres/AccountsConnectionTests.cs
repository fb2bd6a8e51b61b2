using Npgsql;

namespace Berth.Accounts.Tests.Postgres;

public class AccountsConnectionTests
{
    // Npgsql's own default loads libgssapi, and where there is none the runtime complains.
    [Fact]
    public void Read_NothingSaidOfKerberos_DoesNotTryIt() =>
        Assert.Equal(GssEncryptionMode.Disable, AccountsConnection.Read("Host=db;Username=berth").GssEncryptionMode);

    [Theory]
    [InlineData("GSS Encryption Mode=Require")]
    [InlineData("gssencryptionmode=Require")]
    public void Read_KerberosAskedFor_StaysAsItIs(string option) =>
        Assert.Equal(GssEncryptionMode.Require, AccountsConnection.Read("Host=db;" + option).GssEncryptionMode);

    // A proxy that answers for a server that is gone: HTTP read as PostgreSQL is a message of a gigabyte.
    [Fact]
    public void IsTransient_NoMemoryForAMessage_TheDatabaseIsAway() =>
        Assert.True(AccountsResilience.IsTransient(new InsufficientMemoryException()));
}
