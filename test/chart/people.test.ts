import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually, oneWorld, type World } from '../e2e/support/world.ts';
import { CHART, helm, install, NAMESPACE } from './support/helm.ts';

// Who may view or edit a namespace, by the roles of Kubernetes itself, to which those of the chart are aggregated.

const PEOPLE = ['view', 'edit', 'admin'];
const shared = oneWorld({ controllers: ['clusterrole-aggregation-controller'] }, async (cluster) => {
  await install(cluster);
  await cluster.kubectl(['create', 'namespace', 'shop']);
  for (const role of PEOPLE)
    await cluster.kubectl(['create', 'rolebinding', role, `--clusterrole=${role}`, `--user=${role}`, '-n', 'shop']);
});
test.after(shared.stop);

/** `what` is a plural, or a plural and a subresource. */
async function may({ cluster }: World, who: string, verb: string, what: string): Promise<boolean> {
  const [plural, ...subresource] = what.split('/');
  const flags = subresource.map((each) => `--subresource=${each}`);
  const question = ['auth', 'can-i', verb, `${plural}.certwheel.io`, ...flags, '-n', 'shop', '--as', who];
  return (await cluster.kubectl(question, { allowFailure: true })).code === 0;
}

async function whoMay(world: World, verb: string, what: string): Promise<string[]> {
  const allowed = await Promise.all(PEOPLE.map((who) => may(world, who, verb, what)));
  return PEOPLE.filter((_, index) => allowed[index]);
}

test('to edit a namespace is to edit its certificates and to view its authorities', async () => {
  const world = await shared.get();
  await eventually('the roles are aggregated', () => may(world, 'admin', 'create', 'clientcertificates'));
  for (const plural of ['clientcertificates', 'certificateauthorities'])
    assert.equal(await whoMay(world, 'list', plural), PEOPLE, plural);
  for (const verb of ['create', 'update', 'patch', 'delete']) {
    assert.equal(await whoMay(world, verb, 'clientcertificates'), ['edit', 'admin'], verb);
    assert.equal(await whoMay(world, verb, 'certificateauthorities'), [], verb);
  }
  assert.equal(await whoMay(world, 'patch', 'clientcertificates/status'), []);
  assert.equal(await whoMay(world, 'list', 'clustercertificateauthorities'), []);
});

test('one person may be given the authorities of a namespace', async () => {
  const world = await shared.get();
  const binding = [
    'create',
    'rolebinding',
    'pki',
    '--clusterrole=certwheel-edit-authorities',
    '--user=pki',
    '-n',
    'shop',
  ];
  await world.cluster.kubectl(binding);
  await eventually('the binding is known', () => may(world, 'pki', 'create', 'certificateauthorities'));
  assert.is(await may(world, 'pki', 'create', 'clientcertificates'), false);
});

test('a value gives them to all editors, and takes them away again', async () => {
  const world = await shared.get();
  for (const [value, people] of [
    ['true', ['edit', 'admin']],
    ['false', []],
  ] as const) {
    const set = `rbac.aggregateAuthorities=${value}`;
    await helm(world.cluster, ['upgrade', 'certwheel', CHART, '-n', NAMESPACE, '--reuse-values', '--set', set]);
    await eventually(`authorities are edited by ${people}`, async () => {
      const found = await whoMay(world, 'create', 'certificateauthorities');
      return found.join() === people.join();
    });
  }
});

test.run();
