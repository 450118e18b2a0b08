/** A fake client: what an authority may not get from the cluster is refused before anything is asked. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { KubeClient } from '../kube/client.ts';
import { clusterAccess } from './cluster-access.ts';

test('a token that is to be sent to a server is never good for the API server', async () => {
  const asked: unknown[] = [];
  const client = {
    audiences: async () => ['https://kubernetes.default.svc', 'k3s'],
    create: async (_resource: unknown, object: unknown) => {
      asked.push(object);
      return { status: { token: 'jwt' } };
    },
  };
  const { serviceAccountToken } = clusterAccess(client as unknown as KubeClient, 'shop');
  for (const audience of ['https://kubernetes.default.svc', 'k3s']) {
    const error = await serviceAccountToken('login', audience, 600).catch((thrown: unknown) => thrown);
    assert.match(String(error), `audience ${audience} is that of the Kubernetes API itself`);
  }
  assert.equal(asked, []);
  assert.is(await serviceAccountToken('login', 'vault', 600), 'jwt');
});

test.run();
