using System.Diagnostics;
using Kube.Client;
using Kube.Runtime;
using Microsoft.Extensions.Configuration;

namespace Berth.Operator;

/// <summary>Spans: one for each look at a workspace, with one for each write below it. Without a listener they cost a null check.</summary>
internal static class OperatorTraces
{
    internal const string SourceName = "Berth.Operator";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>A look at a workspace.</summary>
    internal static Activity? Reconcile(ResourceKey key) => Start("reconcile", key);

    /// <summary>A write for it.</summary>
    internal static Activity? Write(ResourceKey key, string step) => Start($"write {step}", key)?.SetTag("berth.step", step);

    /// <summary>How it ended: ok, conflict, refused, cancelled or error, with the API's code.</summary>
    internal static void Failed(this Activity? activity, Exception error)
    {
        if (activity is null)
        {
            return;
        }

        activity.SetTag("berth.result", error switch
        {
            OperationCanceledException => "cancelled",
            KubeException { IsConflict: true } => "conflict",
            KubeException { IsTransient: false } => "refused",
            _ => "error",
        });
        if (error is KubeException kube)
        {
            activity.SetTag("http.response.status_code", kube.Code);
        }

        activity.SetStatus(ActivityStatusCode.Error, error.Message);
    }

    /// <summary>Sends spans by OTLP where <see cref="TraceExport"/> finds that asked for; null otherwise.</summary>
    internal static IDisposable? Export(IConfiguration configuration) =>
        TraceExport.Start("berth-operator", SourceName, name => configuration[name]);

    private static Activity? Start(string name, ResourceKey key) => Source.StartActivity(name, ActivityKind.Internal)
        ?.SetTag("k8s.namespace.name", key.Namespace).SetTag("berth.workspace", key.Name).SetTag("berth.result", "ok");
}
