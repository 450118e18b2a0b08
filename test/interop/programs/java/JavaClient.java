import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;

/** A client that makes a new HttpClient for each version of the Secret; requests that run keep the former one. */
final class JavaClient {
    private final Stores stores;
    private final HttpClient.Version http;
    private Path loaded;
    private HttpClient client;

    /**
     * HTTP/1.1 is the safe choice. With HTTP/2, which is the default, Java 17 fails requests when the server ends an old
     * connection with GOAWAY; Java 25 does not.
     */
    JavaClient(Stores stores, HttpClient.Version http) {
        this.stores = stores;
        this.http = http;
    }

    HttpResponse<String> get(String url) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
        return current().send(request, HttpResponse.BodyHandlers.ofString());
    }

    private HttpClient current() throws Exception {
        Path version = stores.version();
        if (version.equals(loaded)) return client;
        try {
            client = HttpClient.newBuilder()
                    .version(http)
                    .sslContext(stores.contextOf(version))
                    .connectTimeout(Duration.ofSeconds(10))
                    .build();
            loaded = version;
        } catch (NoSuchFileException gone) {
            // The kubelet has removed the folder before the files were read: the next request finds the new one.
            if (client == null) throw gone;
        }
        return client;
    }
}
