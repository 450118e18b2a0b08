import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;

/**
 * The key manager of a server that runs on. A handshake asks for an alias, then for its certificates, then for its key: the
 * aliases begin with the version, so that all three are of one version of the Secret.
 */
final class ReloadingKeys extends X509ExtendedKeyManager {
    private record Version(String prefix, X509ExtendedKeyManager keys) {}

    private final Map<String, X509ExtendedKeyManager> versions = new ConcurrentHashMap<>();
    private volatile Version current;
    private volatile Version former;
    private int count;

    /** For handshakes from then on; those that run end with the former one. */
    synchronized void replace(X509ExtendedKeyManager keys) {
        Version fresh = new Version(++count + ":", keys);
        versions.put(fresh.prefix, keys);
        if (former != null) versions.remove(former.prefix);
        former = current;
        current = fresh;
    }

    @Override
    public String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
        Version now = current;
        return prefixed(now, now.keys.chooseEngineServerAlias(keyType, issuers, engine));
    }

    @Override
    public String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
        Version now = current;
        return prefixed(now, now.keys.chooseServerAlias(keyType, issuers, socket));
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        X509ExtendedKeyManager keys = keysOf(alias);
        return keys == null ? null : keys.getCertificateChain(withoutPrefix(alias));
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        X509ExtendedKeyManager keys = keysOf(alias);
        return keys == null ? null : keys.getPrivateKey(withoutPrefix(alias));
    }

    @Override
    public String[] getServerAliases(String keyType, Principal[] issuers) {
        return null;
    }

    @Override
    public String[] getClientAliases(String keyType, Principal[] issuers) {
        return null;
    }

    @Override
    public String chooseClientAlias(String[] keyTypes, Principal[] issuers, Socket socket) {
        return null;
    }

    private static String prefixed(Version version, String alias) {
        return alias == null ? null : version.prefix + alias;
    }

    private X509ExtendedKeyManager keysOf(String alias) {
        return versions.get(alias.substring(0, alias.indexOf(':') + 1));
    }

    private static String withoutPrefix(String alias) {
        return alias.substring(alias.indexOf(':') + 1);
    }
}
