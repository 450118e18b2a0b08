import { type Pasted, refused, SECRET, UTF16 } from './kind.ts';

const notPem = refused('certificate', 'NotPem');
const OWN_LINE = 'this is PEM where a BEGIN or END line holds other characters too';
const DASHES = 'BEGIN or END line that does not have five dashes';
const DAMAGED = 'copy the whole file again';

export const CERTIFICATE_TEXTS: readonly Pasted[] = [
  notPem('UTF-16 with a byte order mark', 'iconv -t UTF-16 ca.crt', UTF16),
  notPem('UTF-16 of high bytes first', String.raw`printf '\376\377'; iconv -t UTF-16BE ca.crt`, UTF16),
  notPem('UTF-16 without a byte order mark', 'iconv -t UTF-16LE ca.crt', `${UTF16} -f UTF-16LE`),
  notPem('UTF-16 of high bytes first without a mark', 'iconv -t UTF-16BE ca.crt', `${UTF16} -f UTF-16BE`),
  notPem('UTF-16 that was appended to ASCII', 'cat ca.crt; iconv -t UTF-16 other.crt', 'this is partly UTF-16'),
  notPem(
    'base64 of PEM',
    'base64 ca.crt',
    'this is base64 of PEM: it was encoded once too often; put the PEM itself under stringData',
  ),
  notPem('base64 of PEM in one line', 'base64 -w0 ca.crt', 'this is base64 of PEM'),
  notPem('base64 of base64 of PEM', 'base64 ca.crt | base64', 'this is base64 of base64 of PEM'),
  notPem('base64 of DER', 'grep -v -- ----- ca.crt', 'this is base64 of DER'),
  notPem('base64 of PKCS#12', 'base64 ca.p12', 'this is base64 of a PKCS#12 file', {
    answers: SECRET,
  }),
  notPem('base64 of UTF-16', 'iconv -t UTF-16 ca.crt | base64', 'this is base64 of UTF-16'),
  notPem(
    'hexadecimal digits of DER',
    'openssl x509 -in ca.crt -outform DER | od -An -v -tx1',
    'this is hexadecimal digits of DER',
    { needs: ['perl'] },
  ),
  notPem('line breaks as two letters', String.raw`awk '{printf "%s\\n", $0}' ca.crt`, String.raw`the two letters \n`),
  notPem(
    'line breaks of Windows as letters',
    String.raw`awk '{printf "%s\\r\\n", $0}' ca.crt`,
    String.raw`the two letters \n`,
  ),
  notPem(
    'JSON with PEM in it',
    String.raw`printf '{"certificate": "'; awk '{printf "%s\\n", $0}' ca.crt; printf '"}'`,
    String.raw`the two letters \n`,
  ),
  notPem(
    'two files without a line break between them',
    'printf %s "$(cat ca.crt)"; cat other.crt',
    ', block 1: this is PEM without a line break between this block and the next',
  ),
  notPem('all in one line', `tr '\\n' ' ' < ca.crt`, OWN_LINE),
  notPem('a comment before BEGIN in its line', 'printf "our CA "; cat ca.crt', OWN_LINE),
  notPem('quotes around the PEM', `printf '"%s"' "$(cat ca.crt)"`, OWN_LINE),
  notPem(
    'an END line with content before it',
    `awk '/END/{print prev $0; prev=""; next} {if (NR > 1) print prev; prev=$0}' ca.crt`,
    OWN_LINE,
  ),
  notPem('a dash lost before BEGIN', "sed 's/^-----BEGIN/----BEGIN/' ca.crt", DASHES),
  notPem('a dash lost after END', "sed '/END/s/-----$/----/' ca.crt", DASHES),
  notPem('no dashes at all', "sed 's/-----//g' ca.crt", DASHES),
  notPem('one dash too many', "sed 's/^-----/------/; s/-----$/------/' ca.crt", DASHES),
  notPem('a blank before the last dashes', "sed 's/-----$/ -----/' ca.crt", DASHES),
  notPem(
    'dashes of a word processor',
    String.raw`sed 's/-----/\xe2\x80\x94\xe2\x80\x93/g' ca.crt`,
    'dashes were replaced by long ones',
    { needs: ['perl'] },
  ),
  notPem(
    'URL-encoded PEM',
    `sed 's/+/%2B/g; s/ /%20/g; s/=/%3D/g' ca.crt | awk '{printf "%s%%0A", $0}'`,
    'this is URL-encoded PEM',
    { needs: ['perl'] },
  ),
  notPem(
    'characters that are not ASCII among the base64',
    String.raw`sed '3s/$/\xc2\xa0/' ca.crt`,
    'characters that are not ASCII',
  ),
  notPem(
    'a block that ends with another label',
    "sed '/END/s/CERTIFICATE/TRUSTED CERTIFICATE/' ca.crt",
    'begins as "CERTIFICATE" and ends as "TRUSTED CERTIFICATE"',
  ),
  notPem('a block without its end', "sed '/END/d' ca.crt", DAMAGED),
  notPem(
    'a block without its end before another one',
    "sed '/END/d' ca.crt; cat ca.crt",
    ', block 1: this is a PEM block "CERTIFICATE" without its END line',
  ),
  notPem('a block without its begin', "sed '/BEGIN/d' ca.crt", 'without its BEGIN line'),
  notPem('a block without content', 'head -1 ca.crt; tail -1 ca.crt', 'without content'),
  notPem('a shortened block', "sed '3s/.*/.../' ca.crt", 'whose content is not base64'),
  notPem('a path', 'echo /etc/ssl/ca.crt', 'this is the path of a file, not its content'),
  notPem('a path of Windows', String.raw`printf '%s' 'C:\certs\ca.crt'`, 'this is the path of a file'),
  notPem('a file name', 'echo ca.crt', 'this is the name of a file'),
  notPem('a URL', 'echo https://pki.example/ca.crt', 'this is a URL'),
  notPem('a placeholder', "echo '{{ .Values.ca.crt }}'", 'a placeholder that was never filled in'),
  notPem('a web page', 'echo "<!DOCTYPE html><html>"', 'this is an HTML page'),
  notPem(
    'a manifest in YAML',
    'kubectl create secret tls ca --cert=ca.crt --key=ca.key --dry-run=client -o yaml 2>/dev/null || { printf "data:\\n  tls.crt: "; base64 -w0 ca.crt; echo; }',
    'text around base64 of PEM',
  ),
  notPem(
    'a manifest in JSON',
    `printf '{"data": {"tls.crt": "%s"}}' "$(base64 -w0 ca.crt)"`,
    'text around base64 of PEM',
  ),
  notPem('JSON without PEM', 'echo \'{"issuer": "vault"}\'', 'this is JSON, not PEM'),
  notPem('YAML without PEM', 'printf "issuer: vault\\nname: ca\\n"', 'this is YAML, not PEM'),
  notPem('gzip', 'gzip -c ca.crt', 'this is gzip'),
  notPem('any other text', 'echo hello world', 'this is not PEM: there is no line "-----BEGIN CERTIFICATE-----"'),
];
