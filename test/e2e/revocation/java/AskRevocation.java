import java.io.FileInputStream;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Asks about the revocation of a client as Java's TLS servers do where they check for it: by OCSP or by CRL alone, at the places
 * that the certificate names. The arguments are the way (OCSP or CRL), the file of the certificate, and that of its CA; prints
 * "ok" or the error.
 */
public final class AskRevocation {
  private AskRevocation() {}

  public static void main(String[] args) throws Exception {
    if (args.length < 3) {
      System.out.println(Runtime.version());
      return;
    }
    var validator = CertPathValidator.getInstance("PKIX");
    var checker = (PKIXRevocationChecker) validator.getRevocationChecker();
    checker.setOptions(
        args[0].equals("OCSP")
            ? EnumSet.of(Option.NO_FALLBACK)
            : EnumSet.of(Option.NO_FALLBACK, Option.PREFER_CRLS));
    var parameters = new PKIXParameters(Set.of(new TrustAnchor(read(args[2]), null)));
    parameters.addCertPathChecker(checker);
    var path = CertificateFactory.getInstance("X.509").generateCertPath(List.of(read(args[1])));
    try {
      validator.validate(path, parameters);
      System.out.println("ok");
    } catch (java.security.cert.CertPathValidatorException refused) {
      System.out.println(refused.getReason() + ": " + refused.getMessage());
    }
  }

  private static X509Certificate read(String file) throws Exception {
    try (var in = new FileInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }
}
