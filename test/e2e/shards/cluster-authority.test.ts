import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityStatus } from '../../../src/api/generated/types.ts';
import { CLUSTER_CERTIFICATE_AUTHORITIES, ROTATE_CA_ANNOTATION } from '../../../src/api/names.ts';
import { bugs, lines } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import { startController } from '../support/controller-process.ts';
import { eventually } from '../support/eventually.ts';
import { loggedAt } from '../support/moments.ts';
import { AT_ONCE, conditionOf } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet, identityOf } from './fleet.ts';

const COUNT = 16;
const NAMESPACES = 12;
const NAME = 'shared-ca';
const KEY = `ClusterCertificateAuthority/${NAME}`;
/** So slow that the replicas together would be seen to be too fast. */
const RATE = { requests: 4, burst: 4 };

const shared = oneWorld();
test.after(shared.stop);

/** Two replicas that sign for one authority, whose CA is then rotated. */
const story = startEarly(async () => {
  const world = await shared.get();
  const fleet = await Fleet.of(world, NAMESPACES, COUNT);
  const flags = [...fleet.flags, '--cluster-authorities', '--trust-propagation', '1s'];
  const start = () => startController(world.cluster.kubeconfigPath, flags);
  const all = [await start(), await start()];
  await fleet.untilShared(all);
  await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: NAME },
    spec: {
      selfManaged: { commonName: 'Shared CA' },
      allowedNamespaces: { names: fleet.namespaces },
      rateLimit: { ...RATE, per: 'Second' },
      caRotation: { ...AT_ONCE, reissue: { requests: 60, per: '1m', maxFailures: 5 } },
    },
  });
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: NAME };
  await fleet.fill(['a', 'b', 'c'], { authorityRef });
  await fleet.untilReady();
  const signed = all.map(({ logs }) => lines(logs, 'signing'));

  const owner = await fleet.ownerOf(KEY);
  const follower = all.find((each) => identityOf(each) !== owner);
  if (follower === undefined) throw new Error(`both replicas are ${owner}`);
  await world.apply(CLUSTER_CERTIFICATE_AUTHORITIES, {
    metadata: { name: NAME, annotations: { [ROTATE_CA_ANNOTATION]: new Date(Date.now() - 1_000).toISOString() } },
  });
  const status = await eventually(
    'the second CA generation alone is left',
    async () => {
      const found = await world.client.get(CLUSTER_CERTIFICATE_AUTHORITIES, undefined, NAME);
      const { generations = [], ...rest } = (found?.status ?? {}) as AuthorityStatus;
      const states = generations.map(({ version, state }) => `${version} ${state}`);
      return states.includes('2 Active') && states.includes('1 Retired') && { ...rest, generations };
    },
    120_000,
  );
  await fleet.untilReady();
  const steps = all.map(({ logs }) => lines(logs, 'CA rotation').length);
  const metrics = await follower.metrics();
  return { all, owner, follower, signed, status, steps, metrics, found: bugs(all.flatMap(({ logs }) => logs)) };
});

test('both replicas sign for it, and one of them has it', async () => {
  const { signed, all, follower, steps } = await story();
  console.log(`# signed: ${signed.map(({ length }) => length)}`);
  for (const each of signed) assert.ok(each.length > 0);
  assert.is(steps[all.indexOf(follower)], 0);
});

test('its rate limit holds for both together', async () => {
  const { signed } = await story();
  const atMs = signed
    .flat()
    .map((line) => loggedAt(line).getTime())
    .sort((one, other) => one - other);
  assert.is(atMs.length, 3 * NAMESPACES);
  for (const [index, fromMs] of atMs.entries())
    for (let last = index; last < atMs.length; last++) {
      const allowed = RATE.burst + RATE.requests * (((atMs[last] ?? 0) - fromMs) / 1_000) + 1;
      assert.ok(last - index + 1 <= allowed, `${last - index + 1} within ${(atMs[last] ?? 0) - fromMs} ms`);
    }
});

test('its CA rotation has waited for the certificates of both', async () => {
  const { status, found } = await story();
  assert.is(conditionOf(status, 'Ready')?.status, 'True');
  assert.equal(found, []);
});

test('only its owner shows metrics of it', async () => {
  const { metrics } = await story();
  assert.not.match(metrics, new RegExp(`^certwheel_authority_ready\\{.*${KEY}`, 'm'));
});

test.run();
