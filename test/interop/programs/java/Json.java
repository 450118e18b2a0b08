import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** As much of JSON as the questions and answers need: the standard library has none. */
final class Json {
    private Json() {}

    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char each : text.toCharArray()) {
            if (each < ' ' || each == '"' || each == '\\' || each > '~') quoted.append(String.format("\\u%04x", (int) each));
            else quoted.append(each);
        }
        return quoted.append('"').toString();
    }

    /** The text of a field without escapes; null where there is none. */
    static String field(String line, String name) {
        Matcher found = Pattern.compile("\"" + name + "\":\"([^\"\\\\]*)\"").matcher(line);
        return found.find() ? found.group(1) : null;
    }
}
