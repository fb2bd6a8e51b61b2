using Kube.Client;
using Microsoft.Extensions.Logging;

namespace Berth.Operator.Tests;

/// <summary>A controller logs what a reconcile throws and tries again: right for a process, but a defect must not pass a simulation unseen.</summary>
internal sealed class DefectLog : ILoggerFactory, ILogger
{
    /// <summary>The first exception that was no answer of the API.</summary>
    internal Exception? Defect { get; private set; }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (exception is not (null or KubeException or OperationCanceledException))
        {
            Defect ??= exception;
        }
    }

    public void Dispose()
    {
    }
}
