/** What the CEL rules of spec.trust refuse, in both kinds of authority. */
import { type Row, spec } from './rows.ts';

type Short = Omit<Row, 'kind'>;

const TARGETS = 'spec.trust.targets[]';
const TAKEN = 'this ConfigMap belongs to the cluster, which writes it into every namespace; choose another name';
const BUNDLE_NAME =
  'with a signerName such as example.com/mtls the name must begin with example.com:mtls: and without one it can have no colon';
const PLACES = "namespaces must be set for a configMap or a secret, and can't be set for any other target";
const ID = '0'.repeat(32);
const ADDRESSES = [
  ['https://a..b', 'the host must be a domain or an IP address, as in example.com, 192.0.2.7 or [2001:db8::7]'],
  ['https://a:0', 'the port must be from 1 to 65535'],
] as const;
const all = { namespaces: { all: true } };
const object = { configMap: { name: 'client-ca' } };

const target = (fields: object, more: object = {}) =>
  spec({ trust: { targets: [{ name: 'gateways', ...fields }] }, ...more });
const bundle = (clusterTrustBundle: object) => target({ clusterTrustBundle });

/** `places` is what every target of the kind needs beside its object. */
function targetRows(places: object, kinds: string): Short[] {
  const says = `exactly one of ${kinds} must be set`;
  const good = target({ ...object, ...places });
  const cloudflare = (fields: object, beside: object = {}, more: object = {}) =>
    target({ cloudflareMTLS: { account: ID, apiTokenSecretRef: { name: 'token' }, ...fields }, ...beside }, more);
  return [
    { refuses: 'a trust target without an object', rule: TARGETS, says, bad: target(places), good },
    {
      refuses: 'a trust target of two kinds',
      rule: TARGETS,
      says,
      bad: target({ ...object, ...places, secret: { name: 'client-ca' } }),
      good: target({ ...places, secret: { name: 'client-ca' } }),
    },
    {
      refuses: 'the ConfigMap of the API server CA as a trust target',
      rule: `${TARGETS}.configMap.name`,
      says: TAKEN,
      bad: target({ configMap: { name: 'kube-root-ca.crt' }, ...places }),
      good: target({ configMap: { name: 'kube-root-ca' }, ...places }),
    },
    {
      refuses: 'trust stores at Cloudflare',
      rule: TARGETS,
      says: "a cloudflareMTLS can't have additionalFormats",
      bad: cloudflare({}, { additionalFormats: [{ type: 'JKS' }] }),
      good: cloudflare({}),
    },
    {
      refuses: 'CRLs at Cloudflare',
      rule: TARGETS,
      says: 'crl is for a configMap or a secret',
      bad: cloudflare({}, { crl: {} }, { revocation: {} }),
      good: cloudflare({}, {}, { revocation: {} }),
    },
    {
      refuses: 'CRLs in the key of the CA certificates',
      rule: `${TARGETS}.crl.key`,
      says: 'this key holds CA certificates; choose another one',
      bad: target({ ...object, ...places, crl: { key: 'ca.crt' } }, { revocation: {} }),
      good: target({ ...object, ...places, crl: { key: 'list.pem' } }, { revocation: {} }),
    },
    {
      refuses: 'CRLs in a target of an authority without spec.revocation',
      rule: 'spec',
      says: 'crl of a target is for CAs whose key Certwheel holds (secret, selfManaged and pkcs11), and needs revocation',
      bad: target({ ...object, ...places, crl: {} }),
      good: target({ ...object, ...places, crl: {} }, { revocation: {} }),
    },
    {
      refuses: 'hostnames at Cloudflare without their zone',
      rule: `${TARGETS}.cloudflareMTLS`,
      says: 'hostnames need the zone that they are in',
      bad: cloudflare({ hostnames: ['api.example.com'] }),
      good: cloudflare({ hostnames: ['api.example.com'], zone: ID }),
    },
    ...ADDRESSES.map(
      ([server, says]): Short => ({
        refuses: `the address ${server} of Cloudflare`,
        rule: `${TARGETS}.cloudflareMTLS.server`,
        says,
        bad: cloudflare({ server }),
        good: cloudflare({ server: 'https://cloudflare.example.com/client/v4' }),
      }),
    ),
  ];
}

export const NAMESPACED_TRUST_ROWS = targetRows({}, 'configMap, secret and cloudflareMTLS');

export const CLUSTER_TRUST_ROWS: Short[] = [
  ...targetRows(all, 'configMap, secret, clusterTrustBundle and cloudflareMTLS'),
  {
    refuses: 'a ConfigMap of a cluster authority without namespaces',
    rule: TARGETS,
    says: PLACES,
    bad: target(object),
    good: target({ ...object, ...all }),
  },
  {
    refuses: 'a ClusterTrustBundle with namespaces',
    rule: TARGETS,
    says: PLACES,
    bad: target({ clusterTrustBundle: { name: 'clients' }, ...all }),
    good: bundle({ name: 'clients' }),
  },
  {
    refuses: 'a ClusterTrustBundle with trust stores',
    rule: TARGETS,
    says: "a clusterTrustBundle has room for PEM alone, so it can't have additionalFormats",
    bad: target({ clusterTrustBundle: { name: 'clients' }, additionalFormats: [{ type: 'JKS' }] }),
    good: target({ ...object, ...all, additionalFormats: [{ type: 'JKS' }] }),
  },
  {
    refuses: 'a ClusterTrustBundle whose name is not that of its signer',
    rule: `${TARGETS}.clusterTrustBundle`,
    says: BUNDLE_NAME,
    bad: bundle({ name: 'example.com:other:clients', signerName: 'example.com/mtls' }),
    good: bundle({ name: 'example.com:mtls:clients', signerName: 'example.com/mtls' }),
  },
  {
    refuses: 'a ClusterTrustBundle with a colon and no signer',
    rule: `${TARGETS}.clusterTrustBundle`,
    says: BUNDLE_NAME,
    bad: bundle({ name: 'example.com:mtls:clients' }),
    good: bundle({ name: 'example.com.mtls.clients' }),
  },
];

export { target as trustTarget };
