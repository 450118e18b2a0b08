/** A fake client: what an authority may not get from the cluster is refused before anything is asked. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CONFIG_MAPS } from '../api/names.ts';
import { RetryableError } from '../errors.ts';
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
  const { serviceAccountToken } = clusterAccess(client as unknown as KubeClient, 'shop', () => {});
  for (const audience of ['https://kubernetes.default.svc', 'k3s']) {
    const error = await serviceAccountToken('login', audience, 600).catch((thrown: unknown) => thrown);
    assert.match(String(error), `audience ${audience} is that of the Kubernetes API itself`);
  }
  assert.equal(asked, []);
  assert.is(await serviceAccountToken('login', 'vault', 600), 'jwt');
});

test('nothing is written once another replica has the authority, also where that was so a moment ago', async () => {
  const called: string[] = [];
  const verb = (name: string) => async () => void called.push(name);
  const verbs = ['get', 'canI', 'create', 'apply', 'delete'];
  const client = Object.fromEntries(verbs.map((each) => [each, verb(each)])) as unknown as KubeClient;
  let isOwned = true;
  const { objects } = clusterAccess(client, 'shop', () => {
    if (!isOwned) throw new RetryableError('Conflict', 'another replica leads');
  });
  const object = { metadata: { name: 'csr' } };
  const writes = [
    () => objects.create(CONFIG_MAPS, object),
    () => objects.apply(CONFIG_MAPS, object),
    () => objects.applySubresource(CONFIG_MAPS, 'status', object),
    () => objects.delete(CONFIG_MAPS, 'csr'),
  ];
  for (const write of writes) await write();
  assert.equal(called.splice(0), ['create', 'apply', 'apply', 'delete']);
  isOwned = false;
  for (const write of writes) assert.match(String(await write().catch(String)), 'another replica leads');
  assert.equal(called, []);
  await objects.get(CONFIG_MAPS, 'csr');
  await objects.allowed({ verb: 'create', resource: CONFIG_MAPS });
  assert.equal(called, ['get', 'canI']);
});

test.run();
