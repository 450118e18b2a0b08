/** Secrets of CA generations as the API server stores them. */
import type { RawObject } from '../../src/api/parse.ts';
import type { CaPair } from '../../src/pki/ca.ts';
import { blankManifest, generationManifest } from '../../src/rotation/generation-manifest.ts';
import { viewGenerationSecret } from '../../src/rotation/generation-secret.ts';
import { hoursFromNow, pairOf, root } from '../pki/make.ts';

const IDS = { uid: 'uid-1', resourceVersion: '5' };
export const CONTROLLER_NAMESPACE = 'certwheel-system';
export const pair = pairOf(await root());
export const namespaced = { kind: 'CertificateAuthority', name: 'ca' } as const;
export const ofCluster = { kind: 'ClusterCertificateAuthority', name: 'ca' } as const;
const content = {
  version: 7,
  state: 'Active',
  since: hoursFromNow(-3),
  source: 'secret',
  issuerRef: undefined,
  preparedAt: undefined,
  gate: undefined,
  rejects: ['another'],
  rejectedMadeAt: hoursFromNow(-2),
} as const;

export function manifest(
  authority: typeof namespaced | typeof ofCluster = namespaced,
  namespace = 'ns',
  of: CaPair = pair,
) {
  const { name } = blankManifest(authority, content.version, namespace).metadata;
  return generationManifest(authority, { ...content, path: of, signer: of.signer }, { namespace, name, ...IDS }, [
    'uid-of-6',
  ]);
}

/** As the API server would hand it out, with changes by hand. */
export function stored(
  from: ReturnType<typeof manifest>,
  change: {
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
    name?: string;
    data?: object;
  } = {},
): RawObject {
  const { data = from.data, ...metadata } = change;
  const creationTimestamp = '2026-05-01T00:00:00Z';
  const meta = { ...from.metadata, creationTimestamp, ...metadata };
  return { ...from, metadata: meta, data } as unknown as RawObject;
}

export function view(object: RawObject) {
  return viewGenerationSecret(object, CONTROLLER_NAMESPACE);
}
