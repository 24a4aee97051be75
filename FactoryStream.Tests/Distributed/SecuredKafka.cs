using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FactoryStream.Tests.AppHost;

namespace FactoryStream.Tests.Distributed;

/// <summary>
/// An Apache Kafka as a plant's own: one listener, TLS with a certificate of its own authority, and a password (SASL_SSL, PLAIN).
/// </summary>
internal sealed class SecuredKafka : IAsyncDisposable
{
    public const string User = "factorystream",
        Password = "the-tests-kafka-password";

    private readonly TemporaryFolder folder;
    private readonly Process broker;
    private readonly int port;

    private SecuredKafka(TemporaryFolder folder, Process broker, int port) =>
        (this.folder, this.broker, this.port) = (folder, broker, port);

    public string Servers => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    /// <summary>The certificate of the authority that vouches for the broker, as PEM.</summary>
    public string Authority => Path.Combine(folder.Path, "authority.pem");

    public static async Task<SecuredKafka> StartAsync(string home)
    {
        var folder = new TemporaryFolder();
        WriteCertificates(folder.Path);
        var ports = LocalServers.FreePorts(3);
        var properties = Path.Combine(folder.Path, "server.properties");
        await File.WriteAllTextAsync(
            properties,
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                process.roles=broker,controller
                node.id=1
                controller.quorum.voters=1@127.0.0.1:{ports[1]}
                listeners=SASL_SSL://127.0.0.1:{ports[0]},CONTROLLER://127.0.0.1:{ports[1]},INTERNAL://127.0.0.1:{ports[2]}
                advertised.listeners=SASL_SSL://127.0.0.1:{ports[0]},INTERNAL://127.0.0.1:{ports[2]}
                controller.listener.names=CONTROLLER
                inter.broker.listener.name=INTERNAL
                listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,SASL_SSL:SASL_SSL
                sasl.enabled.mechanisms=PLAIN
                listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
                    user_{User}="{Password}";
                ssl.keystore.type=PEM
                ssl.keystore.location={Path.Combine(folder.Path, "broker.pem")}
                log.dirs={Path.Combine(folder.Path, "data")}
                auto.create.topics.enable=false
                offsets.topic.replication.factor=1
                offsets.topic.num.partitions=4
                transaction.state.log.replication.factor=1
                transaction.state.log.min.isr=1
                share.coordinator.state.topic.replication.factor=1
                share.coordinator.state.topic.min.isr=1
                group.initial.rebalance.delay.ms=0
                """
            )
        );
        var libraries = Path.Combine(home, "libs", "*");
        using (
            var format = Java(
                folder.Path,
                "-cp",
                libraries,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "MkU3OEVBNTcwNTJENDM2Qg",
                "-c",
                properties
            )
        )
        {
            await format.WaitForExitAsync();
            Assert.Equal(0, format.ExitCode);
        }
        var kafka = new SecuredKafka(
            folder,
            Java(folder.Path, "-Xmx384m", "-XX:+UseSerialGC", "-cp", libraries, "kafka.Kafka", properties),
            ports[0]
        );
        await RunningSystem.EventuallyAsync(
            async () =>
            {
                Assert.False(kafka.broker.HasExited, "the broker ended at its start");
                using var probe = new TcpClient();
                try
                {
                    await probe.ConnectAsync(IPAddress.Loopback, ports[0]);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            isUp => isUp
        );
        return kafka;
    }

    public async ValueTask DisposeAsync()
    {
        broker.Kill();
        await broker.WaitForExitAsync();
        broker.Dispose();
        folder.Dispose();
    }

    private static Process Java(string directory, params string[] arguments)
    {
        // What it has to say goes where the tests' own words go.
        var start = new ProcessStartInfo(FactoryStream.AppHost.Hosting.Programs.Find("java")!, arguments) { WorkingDirectory = directory };
        return Process.Start(start)!;
    }

    /// <summary>authority.pem, and broker.pem with the broker's key and what the authority signed for it.</summary>
    private static void WriteCertificates(string folder)
    {
        var (from, to) = (TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var authorityKey = RSA.Create(2048);
        var authorityRequest = new CertificateRequest(
            "CN=the tests' authority",
            authorityKey,
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        );
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = authorityRequest.CreateSelfSigned(from, to);
        File.WriteAllText(Path.Combine(folder, "authority.pem"), authority.ExportCertificatePem());

        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, from.AddMinutes(1), to.AddMinutes(-1), [1]);
        File.WriteAllText(Path.Combine(folder, "broker.pem"), $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n");
    }
}
