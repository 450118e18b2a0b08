import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, resourcePath } from '../../src/api/names.ts';
import { connect } from '../e2e/support/plain-api.ts';
import { eventually, oneWorld } from '../e2e/support/world.ts';
import { accountKubeconfig } from './support/account.ts';
import { install } from './support/helm.ts';

// The attack: who has stolen the controller's token changes what others request.

const shared = oneWorld({}, async (cluster) => {
  await install(cluster, {});
  await cluster.kubectl(['create', 'namespace', 'shop']);
});
test.after(shared.stop);

const DENIED = /Certwheel changes nothing of a ClientCertificate but its finalizer certwheel.io\/revocation/;
const OWN = 'certwheel.io/revocation';

async function created(name: string, finalizers: readonly string[] = []) {
  const world = await shared.get();
  const object = {
    apiVersion: 'certwheel.io/v1alpha1',
    kind: 'ClientCertificate',
    metadata: { namespace: 'shop', name, finalizers },
    spec: { authorityRef: { name: 'ca' }, secretName: `${name}-tls`, commonName: name },
  };
  await world.cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(object) });
  // Certwheel may not get one, which kubectl patch does first.
  const api = connect(await accountKubeconfig(world.cluster));
  const path = resourcePath(CLIENT_CERTIFICATES, 'shop', name);
  return async (change: object) => {
    const answer = await api.send('PATCH', path, change, 'application/merge-patch+json').catch((error: Error) => error);
    return answer instanceof Error ? answer.message : '';
  };
}

test('the account of the controller sets and removes its finalizer', async () => {
  const patch = await created('own', ['example.com/other']);
  const both = { metadata: { finalizers: ['example.com/other', OWN] } };
  await eventually('the rights hold', async () => (await patch(both)) === '');
  assert.is(await patch({ metadata: { finalizers: ['example.com/other'] } }), '');
});

const CHANGES: Record<string, object> = {
  'what is requested': { spec: { commonName: 'admin' } },
  'an annotation, such as renew-at': { metadata: { annotations: { 'certwheel.io/renew-at': '2026-06-01T12:00:00Z' } } },
  'a label': { metadata: { labels: { team: 'other' } } },
  "another's finalizer": { metadata: { finalizers: ['example.com/other', 'example.com/mine'] } },
  "the removal of another's finalizer": { metadata: { finalizers: [] } },
};
for (const [what, change] of Object.entries(CHANGES))
  test(`it does not change ${what}`, async () => {
    const name = `other-${Object.keys(CHANGES).indexOf(what)}`;
    const patch = await created(name, ['example.com/other']);
    // The API server hears of a policy a moment after it is stored.
    await eventually('it is denied', async () => DENIED.test(await patch(change)));
  });

test.run();
