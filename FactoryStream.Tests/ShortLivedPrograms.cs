using System.Runtime.CompilerServices;

namespace FactoryStream.Tests;

/// <summary>
/// Tests start dozens of services and brokers that live for seconds, where compiling well costs more than it saves: by these settings of
/// what they start, a third of the CPU of a test that crashes and restarts everything. Whoever sets them otherwise is heard.
/// </summary>
internal static class ShortLivedPrograms
{
    [ModuleInitializer]
    internal static void Configure()
    {
        Default("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1");
        Default("DOTNET_TieredPGO", "0");

        static void Default(string name, string value)
        {
            if (Environment.GetEnvironmentVariable(name) is null)
                Environment.SetEnvironmentVariable(name, value);
        }
    }
}
