import { type Kind, kindsOf } from './kind.ts';

/** What people paste into tls.crt and ca.crt in place of plain PEM. */
const { ready, refused } = kindsOf('openssl');

const crt = (what: string) => `root my; pair my; ${what}`;

const form = (kind: string, recipe: string, message: RegExp, remedy: string): Kind =>
  refused(kind, recipe, { ground: 'form', message, remedy });

const ACCEPTED: readonly Kind[] = [
  ready('openssl x509 -text', crt('openssl x509 -in my.crt -text -out tls.crt')),
  ready(
    'comments and blank lines around the certificate',
    crt("sed -i '1i # our CA\\n\\n' tls.crt; echo '# end' >>tls.crt"),
  ),
  ready('a certificate that is commented out', crt("sed 's/^/# /' my.crt | cat - my.crt >tls.crt")),
  ready('a byte order mark in front of the certificate', crt("printf '\\xef\\xbb\\xbf' | cat - my.crt >tls.crt")),
  ready('a certificate with CRLF line ends', crt("sed -i 's/$/\\r/' tls.crt")),
  ready('a certificate without a line break at its end', crt('printf %s "$(cat my.crt)" >tls.crt')),
  ready('a certificate that is indented', crt("sed -i 's/^/    /' tls.crt")),
  ready(
    'base64 in one line',
    crt(
      "openssl x509 -in my.crt -outform DER | base64 -w 0 | sed '1i -----BEGIN CERTIFICATE-----' >tls.crt; echo >>tls.crt; echo -----END CERTIFICATE----- >>tls.crt",
    ),
  ),
  ready('the label X509 CERTIFICATE', crt("sed -i 's/ CERTIFICATE/ X509 CERTIFICATE/' tls.crt")),
  ready(
    'openssl s_client -showcerts style subject and issuer lines',
    'root my; intermediate int my; pair int my; openssl crl2pkcs7 -nocrl -certfile tls.crt | openssl pkcs7 -print_certs -out both; cp both tls.crt',
  ),
  ready('text in a ca.crt that is not needed', crt('openssl x509 -in my.crt -text -out ca.crt')),
  ready(
    'the bundle of a whole system in a ca.crt that is not needed',
    crt('cat /etc/ssl/certs/*.0 >ca.crt; [ $(wc -c <ca.crt) -gt 100000 ]'),
  ),
  ready('rubbish in a ca.crt that is not needed', crt('echo "see the wiki" >ca.crt')),
];

const REFUSED: readonly Kind[] = [
  form(
    'a certificate in DER',
    crt('openssl x509 -in my.crt -outform DER -out tls.crt'),
    /tls\.crt.*DER.*openssl x509 -inform DER/,
    'Convert it: `openssl x509 -inform DER -in ca.der -out tls.crt`.',
  ),
  form(
    'PKCS#12 in tls.crt',
    crt('openssl pkcs12 -export -in my.crt -inkey my.key -passout pass:x -out tls.crt'),
    /tls\.crt.*PKCS ?#12.*openssl pkcs12/,
    'Extract certificate and key: `openssl pkcs12 -legacy -in ca.p12 -nokeys -out tls.crt` and `-nocerts -nodes -out tls.key`.',
  ),
  form(
    'PKCS#7 in PEM',
    crt('openssl crl2pkcs7 -nocrl -certfile my.crt -out tls.crt'),
    /tls\.crt.*PKCS ?#?7.*openssl pkcs7/,
    'Convert it: `openssl pkcs7 -print_certs -in ca.p7b -out tls.crt`.',
  ),
  form(
    'PKCS#7 in DER',
    crt('openssl crl2pkcs7 -nocrl -certfile my.crt -outform DER -out tls.crt'),
    /tls\.crt.*PKCS ?#7.*openssl pkcs7.*-inform DER/,
    'Convert it: `openssl pkcs7 -inform DER -print_certs -in ca.p7b -out tls.crt`.',
  ),
  form(
    'UTF-16 with a byte order mark',
    crt('iconv -f UTF-8 -t UTF-16 my.crt >tls.crt'),
    /tls\.crt.*UTF-16.*PowerShell/,
    'Write it as UTF-8, in PowerShell with `-Encoding ascii`.',
  ),
  form(
    'UTF-16 without a byte order mark',
    crt('iconv -f UTF-8 -t UTF-16LE my.crt >tls.crt'),
    /tls\.crt.*UTF-16.*PowerShell/,
    'Write it as UTF-8, in PowerShell with `-Encoding ascii`.',
  ),
  form(
    'base64 twice',
    crt('base64 -w 0 my.crt >tls.crt'),
    /tls\.crt.*base64.*(twice|stringData|--from-file)/,
    'Give the PEM itself: under `stringData`, or by `kubectl create secret … --from-file`.',
  ),
  form(
    'base64 of DER without the lines of PEM',
    crt('openssl x509 -in my.crt -outform DER | base64 >tls.crt'),
    /tls\.crt.*base64/,
    'Put the lines `-----BEGIN CERTIFICATE-----` and `-----END CERTIFICATE-----` around it.',
  ),
  form(
    'line breaks as the letters \\n',
    crt('awk \'{printf "%s\\\\n", $0}\' my.crt >tls.crt'),
    /tls\.crt.*\\n/,
    'Write real line breaks: in YAML with `|`, in a shell with `printf %b`.',
  ),
  form(
    'TRUSTED CERTIFICATE',
    crt('openssl x509 -in my.crt -trustout -addtrust clientAuth -out tls.crt'),
    /tls\.crt.*TRUSTED CERTIFICATE.*openssl x509/,
    'Convert it: `openssl x509 -in ca.crt -out tls.crt`.',
  ),
  form(
    'a certificate request',
    crt('openssl req -new -key my.key -subj /CN=ca -out tls.crt'),
    /tls\.crt.*(CSR|certificate request)/i,
    'Put the certificate there that a CA made of the request.',
  ),
  form(
    'a CRL',
    crt(
      'touch index.txt; echo 01 >crlnumber; printf "[ca]\\ndefault_ca=it\\n[it]\\ndatabase=index.txt\\ndefault_md=sha256\\ndefault_crl_days=30\\n" >crl.cnf; openssl ca -gencrl -config crl.cnf -cert my.crt -keyfile my.key -out tls.crt',
    ),
    /tls\.crt.*CRL/,
    'Put the certificate of the CA there.',
  ),
  form(
    'certificates without a line break between them',
    'root my; intermediate int my; pair int; (printf %s "$(cat int.crt)"; cat my.crt) >tls.crt',
    /tls\.crt.*line break/,
    'Put a line break between `-----END CERTIFICATE-----` and `-----BEGIN CERTIFICATE-----`.',
  ),
  form(
    'a certificate that was cut off',
    crt("sed -i '$d' tls.crt"),
    /tls\.crt.*(no end|END)/,
    'Copy all of it, with its last line.',
  ),
  form(
    'a certificate with a letter too few',
    crt("sed -i '3s/^.//' tls.crt"),
    /tls\.crt.*(base64|read)/,
    'Copy it again.',
  ),
  form('an empty tls.crt', crt(': >tls.crt'), /tls\.crt/, 'Put the certificate of the CA there.'),
  form(
    'the path of a file',
    crt('echo /etc/pki/my.crt >tls.crt'),
    /tls\.crt.*path/,
    'Put the content there: `kubectl create secret tls … --cert=ca.crt`.',
  ),
  form(
    'a key in tls.crt',
    crt('cp my.key tls.crt'),
    /tls\.crt.*private key/i,
    'Put the certificate there, and the key into tls.key alone.',
  ),
  refused('key and certificate in tls.crt', crt('cat my.key my.crt >tls.crt'), {
    ground: 'rule',
    message: /tls\.crt.*private key/i,
    remedy: 'Keep the key in tls.key alone: tls.crt is not treated as a secret by every tool.',
  }),
  refused(
    'a DER root in the ca.crt that is needed',
    'root my; intermediate int my; pair int; openssl x509 -in my.crt -outform DER -out ca.crt',
    {
      ground: 'path',
      message: /ca\.crt.*DER.*openssl x509 -inform DER/,
      remedy: 'Convert it: `openssl x509 -inform DER -in root.der -out ca.crt`.',
    },
  ),
  refused(
    'a root in UTF-16 in the ca.crt that is needed',
    'root my; intermediate int my; pair int; iconv -t UTF-16 my.crt >ca.crt',
    { ground: 'path', message: /ca\.crt.*UTF-16/, remedy: 'Write it as UTF-8, in PowerShell with `-Encoding ascii`.' },
  ),
];

export const PASTED: readonly Kind[] = [...ACCEPTED, ...REFUSED];
