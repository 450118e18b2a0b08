import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Set;

/**
 * Judges certificate paths with CertPathValidator. Each line of its input is a path, leaf first and anchor last, as DER in
 * base64 with spaces between; each line of its output is "ok" or the error. The argument is the time in seconds.
 */
public class Judge {
  public static void main(String[] arguments) throws Exception {
    Date now = new Date(Long.parseLong(arguments[0]) * 1000);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(check(line.trim().split(" "), now));
    }
  }

  private static String check(String[] path, Date now) {
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      List<X509Certificate> certificates = new ArrayList<>();
      for (String each : path) {
        byte[] der = Base64.getDecoder().decode(each);
        certificates.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der)));
      }
      X509Certificate anchor = certificates.remove(certificates.size() - 1);
      PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
      parameters.setRevocationEnabled(false);
      parameters.setDate(now);
      CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(certificates), parameters);
      return "ok";
    } catch (Exception problem) {
      return (problem.getClass().getSimpleName() + ": " + problem.getMessage()).replace("\n", " ");
    }
  }
}
