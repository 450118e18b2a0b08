import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { untilRevision } from '../../e2e/support/edits.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../../e2e/support/objects.ts';
import type { World } from '../../e2e/support/world.ts';

/** Certificates of a minute, the second of which is due after 8 to 10 s. */
export const QUICK = { duration: '1m', renewBefore: '50s' };

/** A CA and a certificate of it in a namespace, from the first issue to the first renewal. */
export async function issueAndRenew(world: World, namespace: string): Promise<void> {
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'alice', QUICK));
  await untilReady(world, namespace, 'alice');
  await untilRevision(world, namespace, 'alice-tls', 2);
}

/** A CA for every namespace, whose key is kept in the controller's. */
export function clusterAuthority({ client }: World, name: string) {
  return client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name },
    spec: { selfManaged: { commonName: name }, allowedNamespaces: { all: true } },
  });
}
