import {
  CERTIFICATE_AUTHORITIES,
  CLIENT_CERTIFICATES,
  CONFIG_MAPS,
  type Resource,
  SECRETS,
} from '../../src/api/names.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import type { Writable } from '../../src/kube/object.ts';

const QUARTER_MEBIBYTE = 'x'.repeat(250_000);
const AT_ONCE = 16;

interface Hostile {
  readonly what: string;
  readonly resource: Resource;
  readonly count: number;
  readonly make: (
    name: string,
  ) => Omit<Writable & object, 'metadata'> & { readonly metadata?: Record<string, unknown> };
}

/** What a tenant can write who may do anything in a namespace: all that the controller watches, as large as the API server lets it be. */
const KINDS: readonly Hostile[] = [
  {
    what: 'Secrets with the label of certificates and a quarter of a mebibyte of annotations',
    resource: SECRETS,
    count: 1_000,
    make: (name) => ({
      metadata: {
        labels: { 'certwheel.io/certificate-name': name },
        annotations: { 'certwheel.io/certificate-uid': name, 'certwheel.io/serials': QUARTER_MEBIBYTE },
      },
    }),
  },
  {
    what: 'Secrets that look like requests under way',
    resource: SECRETS,
    count: 500,
    make: (name) => ({
      metadata: {
        labels: { 'certwheel.io/next-of': name },
        annotations: { 'certwheel.io/certificate-uid': name, 'certwheel.io/wanted': QUARTER_MEBIBYTE },
      },
    }),
  },
  {
    what: 'Secrets that look like CA generations',
    resource: SECRETS,
    count: 500,
    make: (name) => ({
      metadata: {
        labels: { 'certwheel.io/authority-name': name, 'certwheel.io/authority-kind': 'CertificateAuthority' },
      },
      data: { 'tls.crt': Buffer.from('x'.repeat(90_000)).toString('base64') },
    }),
  },
  {
    what: 'ClientCertificates with large templates and many names',
    resource: CLIENT_CERTIFICATES,
    count: 1_000,
    make: (name) => ({
      spec: {
        ...specOf(name),
        dnsNames: Array.from({ length: 50 }, (_, index) => `${'a'.repeat(60)}.${'b'.repeat(60)}.${index}.example`),
        secretTemplate: {
          annotations: Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`a${index}`, 'x'.repeat(4_000)])),
        },
      },
    }),
  },
  {
    what: 'ClientCertificates whose authority does not exist',
    resource: CLIENT_CERTIFICATES,
    count: 5_000,
    make: (name) => ({ spec: specOf(name) }),
  },
  {
    what: 'CertificateAuthorities at an address where nothing answers',
    resource: CERTIFICATE_AUTHORITIES,
    count: 1_000,
    make: () => ({
      spec: {
        vault: { server: 'https://192.0.2.1:8200', role: 'x', auth: { tokenSecretRef: { name: 'token' } } },
      },
    }),
  },
  {
    what: 'ConfigMaps and CertificateAuthorities that refer to them',
    resource: CONFIG_MAPS,
    count: 500,
    make: () => ({ data: { 'ca.crt': 'x'.repeat(900_000) } }),
  },
  {
    what: 'CertificateAuthorities with trust bundles of a mebibyte',
    resource: CERTIFICATE_AUTHORITIES,
    count: 500,
    make: (name) => ({
      spec: {
        certManager: {
          issuerRef: { name: 'x' },
          trustBundle: { configMap: { name: name.replace(/^h\d+-/, 'h6-') } },
        },
      },
    }),
  },
];

function specOf(name: string) {
  return { authorityRef: { name: 'missing' }, secretName: `${name}-tls`, commonName: name };
}

/** Creates 10,000 objects in the namespace; `told` hears how each kind went. */
export async function flood(client: KubeClient, namespace: string, told: (line: string) => void): Promise<void> {
  for (const [kind, { what, resource, count, make }] of KINDS.entries()) {
    const waiting = Array.from({ length: count }, (_, index) => `h${kind}-${index}`);
    const work = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const { metadata = {}, ...rest } = make(name);
        await client.create(resource, { ...rest, metadata: { ...metadata, namespace, name } });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    told(`${count} ${what}`);
  }
}
