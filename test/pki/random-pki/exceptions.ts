import { parseCertificates } from '../../../src/pki/certificate.ts';
import type { Material } from './material.ts';
import type { Path } from './paths.ts';

/** A kind of path that OpenSSL, Go and Java accept and that Certwheel refuses on purpose. */
export interface Exception {
  readonly name: string;
  /** Why refusing is right. */
  readonly reason: string;
  readonly fits: (path: Path, material: Material, refusal: string) => boolean;
}

/** A disagreement that fits none is an error of Certwheel's, or needs an entry with a reason that a user would accept. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    name: 'a tls.crt without any certificate',
    reason: 'it is a mistake far more often than the wish to keep the CA in ca.crt alone',
    fits: (_path, _material, refusal) => refusal.includes('key tls.crt: this is empty'),
  },
  {
    name: 'a cross-signed CA of which another path allows what the leaf asks for',
    reason: 'one path is chosen for all leaves of a CA, the one that ends last, before any leaf is known',
    fits: (_path, material, refusal) =>
      /^(commonName|subject|dnsNames|uris|emailAddresses|ipAddresses|usages|policies): /.test(refusal) &&
      hasTwoOfOneKey(material),
  },
  {
    name: 'a CA that requires a policy below CAs that know none but anyPolicy, which is inhibited for the leaf',
    reason: 'the leaf would need a policy that no CA names; Certwheel copies policies and invents none',
    fits: (_path, _material, refusal) => refusal.includes('no CA names one and anyPolicy is inhibited'),
  },
  {
    name: 'a common name outside what one CA permits, while another CA excludes all of that',
    reason: 'Java alone compares common names of one label, and drops a limit of which everything is excluded',
    fits: ({ issuers }, _material, refusal) =>
      /^commonName: .*Java takes it for .* is outside the subtrees/.test(refusal) && hasPermittedAndExcluded(issuers),
  },
];

function hasPermittedAndExcluded(issuers: Path['issuers']): boolean {
  const [permitting, excluding] = (['permitted', 'excluded'] as const).map((each) =>
    issuers.filter(({ nameConstraints }) => (nameConstraints?.[each].length ?? 0) > 0),
  );
  return [...new Set([...(permitting ?? []), ...(excluding ?? [])])].length > 1 && (excluding?.length ?? 0) > 0;
}

function hasTwoOfOneKey({ tlsCrt, caCrt = '' }: Material): boolean {
  const all = parseCertificates(`${tlsCrt}${caCrt}`);
  const distinct = [...new Map(all.map((each) => [each.fingerprintSHA256, each])).values()];
  return new Set(distinct.map(({ publicKeyPin }) => publicKeyPin)).size < distinct.length;
}
