/** Differences that are known, and no fault of Certwheel. */
export interface Exception {
  readonly kind: string;
  readonly details: RegExp;
  readonly reason: string;
}

/** `HTTPS:` and `https:` in hex. */
const UPPER = Buffer.from('HTTPS:').toString('hex');
const LOWER = Buffer.from('https:').toString('hex');

export const EXCEPTIONS: readonly Exception[] = [
  {
    kind: 'go: uris',
    details: new RegExp(`${UPPER}.*, go .*${LOWER}`),
    reason: 'crypto/x509 parses URIs, and net/url prints schemes in lower case',
  },
  {
    kind: 'go refuses',
    details: /^x509: invalid RDNSequence: invalid attribute value: unsupported string type: 28$/,
    reason: 'crypto/x509 knows no UniversalString',
  },
  {
    kind: 'python refuses',
    details:
      /^ValueError: error parsing asn1 value: ParseError \{ kind: InvalidValue(?:, location: \["(?:issuer|subject)".*\])? \}$/,
    reason: 'cryptography takes a TeletexString for UTF-8, the others for Latin-1',
  },
];
