import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES, NAMESPACES, SECRETS } from '../../../src/api/names.ts';
import { lines } from '../process/support/fleet.ts';
import { patch } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { clientCertificate, conditionOf, create, statusOf, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import type { World } from '../support/world.ts';

// The attack: a namespace that the authority's selector leaves out, and a ClientCertificate in it, created together, so
// that the certificate is seen before the labels of its namespace are.

const PAIRS = 120;
const SELECTORS = {
  NotIn: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['tenant'] }] },
  DoesNotExist: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] },
};

const scene = oneScene({ authority: false, isHome: true });
test.after(scene.stop);

async function createAuthority({ client }: World, name: string, selector: object): Promise<void> {
  const spec = { selfManaged: { commonName: name }, allowedNamespaces: { selector } };
  await client.create(CLUSTER_CERTIFICATE_AUTHORITIES, { metadata: { name }, spec });
  await eventually(`${name} is ready`, async () => {
    const found = await client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, name);
    return conditionOf((found?.status ?? {}) as never, 'Ready')?.status === 'True';
  });
}

/** A namespace and a certificate in it, as soon after each other as the API server lets. */
async function together(world: World, name: string, labels: Record<string, string>, authority: string): Promise<void> {
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: authority };
  const namespace = world.client.create(NAMESPACES, { metadata: { name, labels } });
  const attempt = async () => {
    for (;;) {
      try {
        return await create(world, clientCertificate(name, 'client', { authorityRef }));
      } catch (error) {
        if (!String(error).includes('not found')) throw error;
      }
    }
  };
  await Promise.all([namespace, attempt()]);
}

for (const [operator, selector] of Object.entries(SELECTORS)) {
  test(`${operator}: no certificate is issued to a namespace whose labels are not known yet`, async () => {
    const { world, controller, namespace: home } = await scene.get();
    const authority = `${home}-${operator.toLowerCase()}`;
    await createAuthority(world, authority, selector);
    const names = Array.from({ length: PAIRS }, (_, at) => `${authority}-${at}`);
    await Promise.all(names.map((name) => together(world, name, { tier: 'tenant' }, authority)));
    const reasons = await Promise.all(
      names.map((name) =>
        eventually(`${name} has a verdict`, async () => {
          const ready = conditionOf(await statusOf(world, name, 'client'), 'Ready');
          return ready?.reason === 'NamespaceNotAllowed' && ready.reason;
        }),
      ),
    );
    assert.is(reasons.length, PAIRS);
    const issued = await Promise.all(names.map((name) => world.client.get(SECRETS, name, 'client-tls')));
    assert.equal(issued.filter(Boolean), []);
    const signed = lines(controller.logs, 'signing').filter(({ namespace }) => names.includes(String(namespace)));
    assert.equal(signed, []);
  });

  test(`${operator}: a selected namespace gets its certificate, even if both are created at the same moment`, async () => {
    const { world, namespace: home } = await scene.get();
    const authority = `${home}-${operator.toLowerCase()}`;
    const names = Array.from({ length: 10 }, (_, at) => `${authority}-good-${at}`);
    const labels: Record<string, string> = operator === 'NotIn' ? { tier: 'platform' } : {};
    await Promise.all(names.map((name) => together(world, name, labels, authority)));
    await Promise.all(names.map((name) => untilReady(world, name, 'client')));
  });
}

test('a namespace that is no longer selected is refused, and one that is selected again is served', async () => {
  const { world, namespace: home } = await scene.get();
  const authority = `${home}-notin`;
  const name = `${authority}-moves`;
  await together(world, name, { tier: 'platform' }, authority);
  await untilReady(world, name, 'client');
  await patch(world, NAMESPACES, undefined, name, { metadata: { labels: { tier: 'tenant' } } });
  await untilReady(world, name, 'client', { type: 'Issuing', reason: 'NamespaceNotAllowed' });
  await patch(world, NAMESPACES, undefined, name, { metadata: { labels: { tier: 'platform' } } });
  await eventually('it is served again', async () => {
    const { conditions = [] } = await statusOf(world, name, 'client');
    return conditions.every(({ type }) => type !== 'Issuing');
  });
});

test.run();
