/** Secrets as Certwheel writes them, and those that are there before the thief comes. */

/** The namespaces of a tenant and of the controller. */
export const TENANT = 'shop';
export const CONTROLLER = 'certwheel-system';

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly object[];
  readonly finalizers?: readonly string[];
}

export interface Secret {
  readonly metadata: Metadata;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
  readonly immutable?: boolean;
}

export const UID = '00000000-0000-4000-8000-000000000001';
/** Of no object: garbage collection deletes what it alone owns. */
export const DANGLING = '00000000-0000-4000-8000-00000000dead';
export const OWNER = { apiVersion: 'certwheel.io/v1alpha1', kind: 'ClientCertificate', name: 'alice', uid: UID };
/** Of another program. */
export const FOREIGN = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings', uid: UID };
export const HELD = ['example.com/hold'];

export function tls(metadata: Metadata): Secret {
  return { metadata, type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } };
}

export function certificate(name: string, more: Partial<Metadata> = {}): Secret {
  const labels = { 'certwheel.io/certificate-name': 'alice', ...more.labels };
  const annotations = { 'certwheel.io/certificate-uid': UID, ...more.annotations };
  return tls({ ...more, name, labels, annotations });
}

export function nextKey(name: string, more: Partial<Metadata> = {}): Secret {
  const annotations = { 'certwheel.io/certificate-uid': UID };
  return tls({ ...more, name: `${name}-next`, labels: { 'certwheel.io/next-of': name }, annotations });
}

/** As it is created, before its key comes in. */
export function generation(
  name: string,
  authority: string,
  more: Partial<Metadata> & { readonly kind?: string } = {},
): Secret {
  const { kind = 'CertificateAuthority', ...rest } = more;
  const labels = { 'certwheel.io/authority-name': authority, 'certwheel.io/authority-kind': kind, ...more.labels };
  return tls({ ...rest, name, labels });
}

/** What comes in with its key, as a merge patch. */
export function markOf(uid: string, namespace: string): object {
  const annotations = {
    'certwheel.io/generation-state': 'Active',
    'certwheel.io/generation-state-since': '2026-01-01T00:00:00.000Z',
    'certwheel.io/generation-source': 'selfManaged',
    'certwheel.io/generation-namespace': namespace,
    'certwheel.io/generation-uids': uid,
  };
  return { metadata: { annotations }, immutable: true };
}

export const CLUSTER = { kind: 'ClusterCertificateAuthority' };

/** What is there before the thief comes: Certwheel's, a Secret that a person handed over, and one of a tenant. */
export const THERE: readonly Secret[] = [
  certificate('plain-tls'),
  certificate('owned-tls', { ownerReferences: [OWNER] }),
  certificate('shared-tls', { ownerReferences: [FOREIGN] }),
  certificate('held-tls', { finalizers: HELD }),
  generation('ca-ca-v1', 'ca'),
  generation('ca-ca-v2', 'ca'),
  generation('cluster-everywhere-ca-v1', 'everywhere', { ...CLUSTER, namespace: CONTROLLER }),
  tls({ name: 'handed-tls', annotations: { 'certwheel.io/adopt': 'alice' } }),
  tls({ name: 'tenants-tls' }),
];

export function pathOf(name = '', namespace = TENANT): string {
  return `/api/v1/namespaces/${namespace}/secrets${name === '' ? '' : `/${name}`}`;
}
