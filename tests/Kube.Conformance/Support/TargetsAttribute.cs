using System.Reflection;
using Xunit.Sdk;

namespace Kube.Conformance.Support;

/// <summary>
/// Runs the test once for the embedded server and once for the cluster of BERTH_TEST_KUBECONFIG (skipped, with the reason, where that is
/// not set).
/// </summary>
public sealed class TargetsAttribute : DataAttribute
{
    public const string Embedded = "embedded";
    public const string Cluster = "cluster";

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => [[Embedded], [Cluster]];
}
