using Testing;

namespace Benchmarks.Edge;

/// <summary>
/// Proxies of others, one thread or process each, with the configuration their own documents give for the job. One that is not installed is
/// left out and named.
/// </summary>
internal static class Peers
{
    private const string ApacheModules = "/usr/lib/apache2/modules";

    /// <summary>Starts those that are there.</summary>
    internal static List<(string Name, BenchProcess Process)> Start(string folder, int upstream, BenchKeys keys, string issuer, string audience)
    {
        var started = new List<(string, BenchProcess)>();
        Try("haproxy-jwt", "haproxy", port => ["haproxy", "-db", "-f", Haproxy(folder, port, upstream, keys, issuer, audience)]);
        Try("nginx", "nginx", port => ["nginx", "-p", folder, "-c", Nginx(folder, port, upstream)]);
        Try("mod-auth-openidc", "apache2", port => ["apache2", "-X", "-f", Apache(folder, port, upstream, keys, issuer, audience)]);
        Try("configurable-http-proxy", "configurable-http-proxy", port =>
            ["configurable-http-proxy", "--ip", "127.0.0.1", "--port", $"{port}", "--api-ip", "127.0.0.1", "--api-port",
                $"{LoopbackPort.Free()}", "--default-target", $"http://127.0.0.1:{upstream}", "--log-level", "error"]);
        return started;

        void Try(string name, string program, Func<int, string[]> command)
        {
            var isThere = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Any(p => File.Exists(Path.Combine(p, program)))
                && (program != "apache2" || File.Exists($"{ApacheModules}/mod_auth_openidc.so"));
            if (!isThere)
            {
                Console.Error.WriteLine($"edge: {name} left out, {program} is not installed");
                return;
            }

            var port = LoopbackPort.Free();
            started.Add((name, BenchProcess.Start(BenchProcess.ProxyCore, port, command(port))));
        }
    }

    private static string Haproxy(string folder, int port, int upstream, BenchKeys keys, string issuer, string audience)
    {
        var key = Write(folder, "haproxy.pem", keys.RsaPem);
        return Write(folder, "haproxy.cfg", $$"""
            global
              nbthread 1
              maxconn 4096
            defaults
              mode http
              timeout connect 5s
              timeout client 60s
              timeout server 60s
              http-reuse always
            frontend edge
              bind 127.0.0.1:{{port}}
              http-request set-var(txn.bearer) http_auth_bearer
              http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
              http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
              http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud')
              http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
              http-request set-var(txn.now) date()
              http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
              http-request deny deny_status 401 unless { var(txn.iss) -m str {{issuer}} }
              http-request deny deny_status 401 unless { var(txn.aud) -m str {{audience}} }
              http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
              http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"{{key}}") -m int 1 }
              default_backend workspace
            backend workspace
              server one 127.0.0.1:{{upstream}}

            """);
    }

    private static string Nginx(string folder, int port, int upstream) => Write(folder, "nginx.conf", $$"""
        daemon off;
        master_process off;
        pid {{folder}}/nginx.pid;
        error_log stderr crit;
        events { worker_connections 8192; }
        http {
          access_log off;
          client_body_temp_path {{folder}}/body;
          proxy_temp_path {{folder}}/proxy;
          fastcgi_temp_path {{folder}}/fastcgi;
          uwsgi_temp_path {{folder}}/uwsgi;
          scgi_temp_path {{folder}}/scgi;
          upstream workspace { server 127.0.0.1:{{upstream}}; keepalive 64; }
          server {
            listen 127.0.0.1:{{port}};
            keepalive_requests 10000000;
            location / { proxy_pass http://workspace; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
          }
        }

        """);

    private static string Apache(string folder, int port, int upstream, BenchKeys keys, string issuer, string audience)
    {
        var certificate = Write(folder, "apache.pem", keys.RsaCertificatePem);
        var modules = string.Join('\n', ((string[])["mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "auth_openidc"])
            .Select(m => $"LoadModule {m}_module {ApacheModules}/mod_{m}.so"));
        return Write(folder, "apache.conf", $$"""
            {{modules}}
            ServerRoot {{folder}}
            ServerName localhost
            PidFile {{folder}}/apache.pid
            DefaultRuntimeDir {{folder}}
            User www-data
            Group www-data
            ErrorLog {{folder}}/apache.log
            LogLevel crit
            Listen 127.0.0.1:{{port}}
            StartServers 1
            ServerLimit 1
            ThreadsPerChild 64
            MaxRequestWorkers 64
            KeepAlive On
            MaxKeepAliveRequests 0
            OIDCOAuthVerifyCertFiles {{BenchKeys.RsaId}}#{{certificate}}
            OIDCOAuthRemoteUserClaim sub
            <Location />
              AuthType oauth20
              <RequireAll>
                Require claim iss:{{issuer}}
                Require claim aud:{{audience}}
              </RequireAll>
              ProxyPass http://127.0.0.1:{{upstream}}/ enablereuse=on
            </Location>

            """);
    }

    private static string Write(string folder, string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
