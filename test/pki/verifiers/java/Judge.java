import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * Verifies certificate paths as a TLS server verifies its clients. Each line of the input is
 *
 * <pre>SECONDS USAGES LEAF INTERMEDIATES ANCHORS</pre>
 *
 * as in ../openssl/judge.c; each line of the output is "ok" or the error.
 *
 * <p>It asks the trust manager of SunJSSE and not CertPathValidator or CertPathBuilder, since that is what servers run:
 * it hands a list in order to CertPathValidator, any other one to CertPathBuilder, and checks the leaf's key usage and
 * extended key usage, which neither of the two does.
 */
public final class Judge {
  private static final CertificateFactory CERTIFICATES = certificateFactory();

  private Judge() {}

  public static void main(String[] args) throws Exception {
    if (args.length > 0) {
      System.out.println(Runtime.version());
      return;
    }
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String problem = judge(line.split(" "));
      out.print(problem == null ? "ok" : problem.replaceAll("\\s+", " "));
      out.print('\n');
      out.flush();
    }
  }

  private static String judge(String[] fields) throws GeneralSecurityException {
    var chain = new ArrayList<X509Certificate>();
    try {
      chain.addAll(read(fields[2]));
      chain.addAll(read(fields[3]));
    } catch (CertificateException error) {
      return "unreadable certificate: " + error.getMessage();
    }
    Set<TrustAnchor> anchors = new HashSet<>();
    try {
      for (X509Certificate each : read(fields[4])) anchors.add(new TrustAnchor(each, null));
    } catch (CertificateException | IllegalArgumentException error) {
      return "unreadable anchor: " + error.getMessage();
    }
    // PKIXParameters takes no empty set.
    if (anchors.isEmpty()) return "no trust anchor";
    try {
      X509TrustManager manager = trustManager(anchors, new Date(Long.parseLong(fields[0]) * 1000));
      X509Certificate[] path = chain.toArray(new X509Certificate[0]);
      manager.checkClientTrusted(path, "UNKNOWN");
      if (fields[1].equals("client+server")) manager.checkServerTrusted(path, "UNKNOWN");
      return null;
    } catch (CertificateException | RuntimeException error) {
      return reasonOf(error);
    }
  }

  private static X509TrustManager trustManager(Set<TrustAnchor> anchors, Date at) throws GeneralSecurityException {
    var parameters = new PKIXBuilderParameters(anchors, new X509CertSelector());
    parameters.setDate(at);
    parameters.setRevocationEnabled(false);
    var factory = TrustManagerFactory.getInstance("PKIX");
    factory.init(new CertPathTrustManagerParameters(parameters));
    return (X509TrustManager) factory.getTrustManagers()[0];
  }

  private static String reasonOf(Throwable error) {
    Throwable cause = error;
    while (cause.getCause() != null) cause = cause.getCause();
    String message = cause.getMessage();
    return message == null ? cause.getClass().getName() : message;
  }

  private static List<X509Certificate> read(String text) throws CertificateException {
    var list = new ArrayList<X509Certificate>();
    if (text.equals("-")) return list;
    for (String each : text.split(",")) {
      byte[] der = Base64.getDecoder().decode(each);
      list.add((X509Certificate) CERTIFICATES.generateCertificate(new ByteArrayInputStream(der)));
    }
    return list;
  }

  private static CertificateFactory certificateFactory() {
    try {
      return CertificateFactory.getInstance("X.509");
    } catch (CertificateException error) {
      throw new IllegalStateException(error);
    }
  }
}
