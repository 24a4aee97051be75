using System.Reflection;
using Microsoft.Extensions.Logging;

namespace FactoryStream.Tests.ServiceDefaults;

/// <summary>What is logged can be found and filtered by a name that a new wording does not change.</summary>
public sealed class LogMessageTests
{
    private const BindingFlags Any =
        BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly (MethodInfo Method, LoggerMessageAttribute Message)[] Messages =
    [
        .. Directory
            .GetFiles(AppContext.BaseDirectory, "FactoryStream.*.dll")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(name => name != "FactoryStream.Tests")
            .SelectMany(name => Assembly.Load(name).GetTypes())
            .SelectMany(type => type.GetMethods(Any))
            .Select(method => (method, message: method.GetCustomAttribute<LoggerMessageAttribute>()!))
            .Where(entry => entry.message is not null),
    ];

    [Fact]
    public void Every_program_that_logs_is_looked_at() =>
        Assert.Equal(
            ["Aggregator", "AppHost", "Dashboard", "Ingest", "Migrations", "ServiceDefaults", "Simulator", "Verifier"],
            Messages.Select(entry => entry.Method.Module.Assembly.GetName().Name!["FactoryStream.".Length..]).Distinct().Order()
        );

    [Fact]
    public void Every_message_has_an_event_id_and_an_event_name() =>
        Assert.All(
            Messages,
            entry =>
            {
                Assert.True(entry.Message.EventId > 0, $"{Text(entry.Method)} has no event id");
                Assert.Matches("^[A-Z][A-Za-z0-9]+$", entry.Message.EventName);
            }
        );

    [Fact]
    public void No_two_messages_of_a_class_have_one_event_id() =>
        Assert.Empty(Repeated(entry => (entry.Method.DeclaringType!, entry.Message.EventId)));

    [Fact]
    public void No_two_messages_of_a_program_have_one_event_name() =>
        Assert.Empty(Repeated(entry => (entry.Method.Module.Assembly, entry.Message.EventName)));

    private static IEnumerable<string> Repeated<TKey>(Func<(MethodInfo Method, LoggerMessageAttribute Message), TKey> key) =>
        Messages.GroupBy(key).Where(group => group.Count() > 1).SelectMany(group => group.Select(entry => Text(entry.Method)));

    private static string Text(MethodInfo method) => $"{method.DeclaringType!.FullName}.{method.Name}";
}
