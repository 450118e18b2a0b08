import { type Environment, fileOf, required } from './real-environment.ts';
import type { Spec, Subject } from './subject.ts';
import { base64 } from './vault-world.ts';

const VARIABLES = [
  'CERTWHEEL_ACME_SERVER',
  'CERTWHEEL_ACME_CA_BUNDLE',
  'CERTWHEEL_ACME_TRUST_BUNDLE',
  'CERTWHEEL_ACME_ZONE',
  'CERTWHEEL_ACME_NAMESERVER',
  'CERTWHEEL_ACME_TSIG_NAME',
  'CERTWHEEL_ACME_TSIG_SECRET',
] as const;

/** What of the subject a real server changes. */
export interface RealAcme {
  readonly zone: string;
  readonly tsigSecret: string;
  readonly tsigName: string;
  readonly nameserver: string;
  readonly spec: Spec;
}

/** The server of CERTWHEEL_ACME_SERVER; docs/authorities/acme.md has the variables. Throws an Error for what is not set. */
export function realAcme(env: Environment): RealAcme {
  const given = required(env, 'docs/authorities/acme.md', VARIABLES);
  return {
    zone: given.CERTWHEEL_ACME_ZONE,
    nameserver: given.CERTWHEEL_ACME_NAMESERVER,
    tsigName: given.CERTWHEEL_ACME_TSIG_NAME,
    tsigSecret: given.CERTWHEEL_ACME_TSIG_SECRET,
    spec: {
      server: given.CERTWHEEL_ACME_SERVER,
      caBundle: base64(fileOf(given, 'CERTWHEEL_ACME_CA_BUNDLE')),
      trustBundle: { inline: fileOf(given, 'CERTWHEEL_ACME_TRUST_BUNDLE'), partialChain: false },
    },
  };
}

/** Identities below that zone, in place of those of the suite. */
export function identitiesBelow(zone: string): Pick<Subject, 'certificate' | 'identities'> {
  const certificate = (name: string): Spec => ({ commonName: `${name}.${zone}`, dnsNames: [`${name}.${zone}`] });
  const dnsNames = [`a.${zone}`, `*.b.${zone}`];
  return {
    certificate,
    identities: {
      commonName: { spec: certificate('alice'), holds: [`CN=alice.${zone}`, `DNS:alice.${zone}`] },
      dnsNames: { spec: { dnsNames }, holds: dnsNames.map((name) => `DNS:${name}`) },
      ipAddresses: 'proven by http-01 alone, which is for a ClusterCertificateAuthority',
    },
  };
}
