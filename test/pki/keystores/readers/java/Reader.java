import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.Collections;

/** Reads key stores as Java programs do. See ../readers.ts for its input and output. */
public final class Reader {
  private Reader() {}

  public static void main(String[] args) throws IOException {
    if (args.length > 0) {
      System.out.println(Runtime.version());
      return;
    }
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.print(answer(line.split(" ")).replaceAll("[\\r\\n]+", " "));
      out.print('\n');
      out.flush();
    }
  }

  private static String answer(String[] fields) {
    try {
      return read(fields);
    } catch (IOException | GeneralSecurityException | RuntimeException error) {
      return "error " + error;
    }
  }

  private static String read(String[] fields) throws IOException, GeneralSecurityException {
    var password = new String(decode(fields[1]), StandardCharsets.UTF_8).toCharArray();
    var store = KeyStore.getInstance(fields[0].equals("JKS") ? "JKS" : "PKCS12");
    store.load(new ByteArrayInputStream(decode(fields[2])), password);
    var text = new StringBuilder("ok");
    for (String alias : Collections.list(store.aliases())) {
      text.append(' ').append(store.isCertificateEntry(alias) ? "trusted" : "key");
      text.append(':').append(encode(alias.getBytes(StandardCharsets.UTF_8))).append(':');
      if (store.isKeyEntry(alias)) {
        text.append(encode(store.getKey(alias, password).getEncoded())).append(':');
        String separator = "";
        for (Certificate each : store.getCertificateChain(alias)) {
          text.append(separator).append(encode(each.getEncoded()));
          separator = ",";
        }
      } else {
        text.append(':').append(encode(store.getCertificate(alias).getEncoded()));
      }
    }
    return text.toString();
  }

  private static byte[] decode(String text) {
    return Base64.getDecoder().decode(text);
  }

  private static String encode(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
