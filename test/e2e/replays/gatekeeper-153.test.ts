/**
 * https://github.com/open-policy-agent/gatekeeper/issues/153: what a policy says of namespaces with a label is not applied to a
 * namespace that the cache doesn't have yet, so whatever comes right behind the namespace is admitted.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NAMESPACES } from '../../../src/api/names.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';

const PAIRS = 60;
const notTenants = { selector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['tenant'] }] } };
const RULES = [
  { name: 'platform', namespaces: notTenants, commonNames: ['admin'] },
  { name: 'everyone', namespaces: { all: true }, commonNames: ["{namespace.labels['tier']}"] },
];

const scene = oneScene({ authority: false, isHome: true });
test.after(scene.stop);

/** The certificate is requested as soon as the API server lets, for each namespace at the same time. */
async function together(names: readonly string[], labels: Readonly<Record<string, string>>, spec: object) {
  const { world } = await scene.get();
  const attempt = async (name: string): Promise<void> => {
    for (;;) {
      try {
        await create(world, clientCertificate(name, 'client', { ...spec }));
        return;
      } catch (error) {
        if (!String(error).includes('not found')) throw error;
      }
    }
  };
  await Promise.all(
    names.map((name) => Promise.all([world.client.create(NAMESPACES, { metadata: { name, labels } }), attempt(name)])),
  );
}

const named = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}-${at}`);

test('a rule that leaves out labelled namespaces leaves out those that are being created', async () => {
  const { world, controller, namespace: home } = await scene.get();
  const authorityRef = await authorityWithRules(world, home, RULES);
  const tenants = named(`${home}-tenant`, PAIRS);
  await together(tenants, { tier: 'tenant' }, { authorityRef, commonName: 'admin' });
  for (const each of tenants) await untilReady(world, each, 'client', { status: 'False', reason: 'DeniedByPolicy' });
  assert.equal(
    tenants.filter((each) => signatures(controller, each, 'client') > 0),
    [],
  );
  const platform = named(`${home}-platform`, 5);
  await together(platform, { tier: 'platform' }, { authorityRef, commonName: 'admin' });
  for (const each of platform) await untilReady(world, each, 'client');
  const filled = named(`${home}-filled`, 5);
  await together(filled, { tier: 'tenant' }, { authorityRef, commonName: 'tenant' });
  for (const each of filled) await untilReady(world, each, 'client');
});

test.run();
