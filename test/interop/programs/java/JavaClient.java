import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
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
        Path version = stores.version();
        if (!version.equals(loaded)) {
            client = HttpClient.newBuilder()
                    .sslContext(stores.contextOf(version))
                    .connectTimeout(Duration.ofSeconds(10))
                    .build();
            loaded = version;
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }
}
