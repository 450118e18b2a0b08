import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

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

    /** A context keeps the stores that it was made of, so each version needs a new one. */
    SSLContext contextOf(Path version) throws IOException, GeneralSecurityException {
        String ending = format.equals("jks") ? ".jks" : ".p12";
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(load(version.resolve("keystore" + ending)), password);
        TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
        trusted.init(load(version.resolve("truststore" + ending)));
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    private KeyStore load(Path file) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(format);
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, password);
        }
        return store;
    }
}
