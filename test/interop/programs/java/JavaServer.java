import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.TrustManager;

/** A server that asks for a client certificate, and takes new stores up once a second. */
final class JavaServer {
    private final Stores stores;
    private final HttpsServer server;
    private final SSLContext context = SSLContext.getInstance("TLS");
    private final ReloadingKeys keys = new ReloadingKeys();
    private final ReloadingTrust trust = new ReloadingTrust();
    private Path loaded;

    JavaServer(Stores stores, int port) throws Exception {
        this.stores = stores;
        load(stores.version());
        // Servers take one context at their start, so its managers have to change.
        context.init(new KeyManager[] {keys}, new TrustManager[] {trust}, null);
        // A resumed session isn't verified again. This ends sessions of clients that stay away for so many seconds; each
        // resumption begins a new session. The default is a day.
        context.getServerSessionContext().setSessionTimeout(Integer.getInteger("tls.sessionTimeout", 300));
        server = HttpsServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context) {
            @Override
            public void configure(HttpsParameters parameters) {
                SSLParameters tls = context.getDefaultSSLParameters();
                tls.setNeedClientAuth(true);
                parameters.setSSLParameters(tls);
            }
        });
        server.createContext("/", JavaServer::answer);
        server.setExecutor(Executors.newCachedThreadPool());
    }

    int start() {
        server.start();
        Executors.newSingleThreadScheduledExecutor().scheduleWithFixedDelay(this::reload, 1, 1, TimeUnit.SECONDS);
        return server.getAddress().getPort();
    }

    private void reload() {
        try {
            Path version = stores.version();
            if (version.equals(loaded)) return;
            load(version);
            endSessions();
        } catch (Exception error) {
            // The kubelet may have removed the folder meanwhile; the next second finds the new one.
            System.err.println("the stores were not read: " + error);
        }
    }

    /** Works with -Djdk.tls.server.enableSessionTicketExtension=false: otherwise the sessions are in tickets of the clients. */
    private void endSessions() {
        SSLSessionContext sessions = context.getServerSessionContext();
        for (byte[] id : Collections.list(sessions.getIds())) {
            SSLSession session = sessions.getSession(id);
            if (session != null) session.invalidate();
        }
    }

    private void load(Path version) throws Exception {
        keys.replace(stores.keysOf(version));
        trust.replace(stores.trustOf(version));
        loaded = version;
    }

    private static void answer(HttpExchange exchange) throws IOException {
        SSLSession session = ((HttpsExchange) exchange).getSSLSession();
        X509Certificate client = (X509Certificate) session.getPeerCertificates()[0];
        try {
            // A resumed session and a kept connection outlive the certificate.
            client.checkValidity();
        } catch (CertificateException expired) {
            exchange.sendResponseHeaders(403, -1);
            exchange.close();
            return;
        }
        String body = "{\"subject\":" + Json.quote(client.getSubjectX500Principal().getName())
                + ",\"serial\":" + Json.quote(client.getSerialNumber().toString(16))
                + ",\"protocol\":" + Json.quote(session.getProtocol()) + "}";
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
