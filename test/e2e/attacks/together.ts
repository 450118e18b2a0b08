import { NAMESPACES } from '../../../src/api/names.ts';
import { clientCertificate, create } from '../support/objects.ts';
import type { World } from '../support/world.ts';

/**
 * A namespace and the certificate `client` in it, as soon after each other as the API server lets: the certificate may be
 * seen before the labels of its namespace are.
 */
export async function together(
  world: World,
  name: string,
  labels: Record<string, string>,
  authority: string,
  spec: Record<string, unknown> = {},
): Promise<void> {
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: authority };
  const namespace = world.client.create(NAMESPACES, { metadata: { name, labels } });
  const attempt = async () => {
    for (;;) {
      try {
        return await create(world, clientCertificate(name, 'client', { authorityRef, ...spec }));
      } catch (error) {
        if (!String(error).includes('not found')) throw error;
      }
    }
  };
  await Promise.all([namespace, attempt()]);
}
