import { CERTIFICATE_APPROVALS } from '../../../src/api/names.ts';
import type { World } from './world.ts';

/** Fields that stand in place of those of an approval. */
export type ApprovalChanges = Readonly<Record<string, unknown>>;

export const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

/** Decides on what the ClientCertificate asks for now, as a person does after reading it. */
export async function decide(world: World, namespace: string, name: string, changes: ApprovalChanges = {}) {
  const { stdout } = await world.cluster.kubectl(['get', 'ccert', name, '-n', namespace, '-o', 'json']);
  const { metadata, spec } = JSON.parse(stdout);
  const { commonName, usages, duration, privateKey } = spec;
  const { algorithm } = privateKey;
  return world.client.create(CERTIFICATE_APPROVALS, {
    metadata: {
      namespace,
      name: `${name}-${Math.random().toString(36).slice(2, 8)}`,
      annotations: { 'certwheel.io/approved-by': 'alice' },
    },
    spec: {
      clientCertificateRef: { name, uid: metadata.uid },
      authorityRef: spec.authorityRef,
      request: { commonName, usages, duration, privateKey: { algorithm } },
      decision: 'Approved',
      validUntil: inHours(24),
      ...changes,
    },
  });
}
