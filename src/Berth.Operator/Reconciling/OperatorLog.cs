using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Berth.Operator;

/// <summary>Logs of the operator. Ids 2000 to 2099; the next free one is 2014.</summary>
internal static partial class OperatorLog
{
    [LoggerMessage(2000, LogLevel.Information, "Operator starts: namespace {Namespace}, workspaces at {Origin}, routing {Routing}")]
    internal static partial void Starting(ILogger logger, string @namespace, string origin, RoutingMode routing);

    [LoggerMessage(2001, LogLevel.Information, "Traefik's kinds (traefik.io/v1alpha1) are served: {Served}")]
    internal static partial void Traefik(ILogger logger, bool served);

    [LoggerMessage(2002, LogLevel.Debug, "{Key}: {Step}")]
    internal static partial void Executing(ILogger logger, ResourceKey key, string step);

    [LoggerMessage(2003, LogLevel.Warning, "{Key}: the API refused the {Part}: {Message}")]
    internal static partial void Refused(ILogger logger, ResourceKey key, string part, string message);

    [LoggerMessage(2004, LogLevel.Information, "{Key}: {Former} -> {Phase}: {Message}")]
    internal static partial void Phase(ILogger logger, ResourceKey key, string former, string phase, string? message);

    [LoggerMessage(2005, LogLevel.Warning, "Whether the cluster serves Traefik's kinds could not be found out; trying again: {Message}")]
    internal static partial void DiscoveryFailed(ILogger logger, string message);

    [LoggerMessage(2006, LogLevel.Error, "Leadership was lost; the operator ends so that it is started anew: {Message}")]
    internal static partial void LeadershipLost(ILogger logger, string message);

    [LoggerMessage(2007, LogLevel.Critical, "The operator cannot go on")]
    internal static partial void Failed(ILogger logger, Exception error);

    [LoggerMessage(2008, LogLevel.Information, "Operator stopped")]
    internal static partial void Stopped(ILogger logger);

    [LoggerMessage(2009, LogLevel.Information, "Leading; {Workspaces} workspaces and {Templates} templates known")]
    internal static partial void Leading(ILogger logger, int workspaces, int templates);

    [LoggerMessage(2010, LogLevel.Information, "Management port: {Address} (/livez /readyz /metrics)")]
    internal static partial void Management(ILogger logger, string address);

    [LoggerMessage(2011, LogLevel.Information, "{Key}: stopped by a rule: {Reason}")]
    internal static partial void StoppedByRule(ILogger logger, ResourceKey key, string reason);

    [LoggerMessage(2012, LogLevel.Information, "{Key}: was to be stopped by a rule, but was written meanwhile; looking again")]
    internal static partial void StopOvertaken(ILogger logger, ResourceKey key);

    [LoggerMessage(2013, LogLevel.Warning, "{Key}: pod {Pod} is taken out of the API, as its node {Node} is gone")]
    internal static partial void ForcedOut(ILogger logger, ResourceKey key, string pod, string? node);
}
