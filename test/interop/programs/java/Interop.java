import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** `version`; `server FOLDER FORMAT PASSWORD-FILE PORT`; or `client`, which answers a line of JSON by a line. */
final class Interop {
    private Interop() {}

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "version" -> System.out.println("Java " + System.getProperty("java.version"));
            case "server" -> {
                Stores stores = new Stores(Path.of(arguments[1]), arguments[2], Path.of(arguments[3]));
                JavaServer server = new JavaServer(stores, Integer.parseInt(arguments[4]));
                System.out.println("ready " + server.start());
            }
            case "client" -> answerQuestions();
            default -> throw new IllegalArgumentException("no command " + arguments[0]);
        }
    }

    private static void answerQuestions() throws IOException {
        Map<String, JavaClient> kept = new HashMap<>();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(answer(line, kept));
        }
        System.exit(0);
    }

    private static String answer(String line, Map<String, JavaClient> kept) {
        try {
            String keep = Json.field(line, "keep");
            JavaClient client = keep == null ? null : kept.get(keep);
            if (client == null) {
                Path folder = Path.of(Json.field(line, "folder"));
                Path password = Path.of(Json.field(line, "password"));
                HttpClient.Version http =
                        "2".equals(Json.field(line, "http")) ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1;
                client = new JavaClient(new Stores(folder, Json.field(line, "format"), password), http);
                if (keep != null) kept.put(keep, client);
            }
            HttpResponse<String> response = client.get(Json.field(line, "url"));
            return "{\"status\":" + response.statusCode() + ",\"body\":" + Json.quote(response.body()) + "}";
        } catch (Exception error) {
            return "{\"error\":" + Json.quote(textOf(error)) + "}";
        }
    }

    private static String textOf(Throwable error) {
        Throwable cause = error.getCause();
        if (cause == null) return error.toString();
        // HttpClient wraps an error in another one with its message.
        if (cause.toString().equals(error.toString())) return textOf(cause);
        return error + " (" + textOf(cause) + ")";
    }
}
