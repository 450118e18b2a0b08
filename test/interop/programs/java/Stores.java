import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** The key store and the trust store of a mounted Secret, and when the kubelet has replaced them. */
final class Stores {
    private final Path folder;
    private final String format;
    private final char[] password;

    /** The format is pkcs12 or jks; the password's file is of another Secret. */
    Stores(Path folder, String format, Path passwordFile) throws IOException {
        this.folder = folder;
        this.format = format;
        this.password = Files.readString(passwordFile).strip().toCharArray();
    }

    /** The folder of the current version. Open all files there: through the link they could be of two versions. */
    Path version() throws IOException {
        return folder.resolve(Files.readSymbolicLink(folder.resolve("..data")));
    }

    /** A context for clients. It keeps the stores that it was made of, so each version needs a new one. */
    SSLContext contextOf(Path version) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                new X509ExtendedKeyManager[] {keysOf(version)}, new X509ExtendedTrustManager[] {trustOf(version)}, null);
        return context;
    }

    X509ExtendedKeyManager keysOf(Path version) throws IOException, GeneralSecurityException {
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(load(version, "keystore"), password);
        return (X509ExtendedKeyManager) factory.getKeyManagers()[0];
    }

    X509ExtendedTrustManager trustOf(Path version) throws IOException, GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(load(version, "truststore"));
        return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    }

    private KeyStore load(Path version, String name) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(format);
        try (InputStream in = Files.newInputStream(version.resolve(name + (format.equals("jks") ? ".jks" : ".p12")))) {
            store.load(in, password);
        }
        return store;
    }
}
