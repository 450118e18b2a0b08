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
    private Path loaded;
    private HttpClient client;

    JavaClient(Stores stores) {
        this.stores = stores;
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
