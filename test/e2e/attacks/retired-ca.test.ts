import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, resourcePath, SECRETS } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { untilForeign, untilNoneForeign, untilWarned } from '../authority/foreign.ts';
import { fingerprintOf, type Swap, startSwap } from '../authority/swap.ts';
import { deleteSecret, patchSecret, renewAt, restoreSecret, untilRevision } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneWorld, type World } from '../support/world.ts';

// The attack: a CA that was replaced, such as one whose key was stolen, comes back, since a backup or a GitOps tool brings
// the Secret of its generation again.

const ARGS = ['--trust-propagation', '1s'];
/** It would sign from then on. */
const AHEAD_MS = 4_000;

const shared = oneWorld();
test.after(shared.stop);

const scene = lazily(async () => {
  const world = await shared.get();
  let controller = await world.controller(ARGS);
  const restart = async (meanwhile: () => Promise<unknown>) => {
    await controller.stop();
    await meanwhile();
    controller = await world.controller(ARGS);
  };
  return { world, restart, ...(await replaced(world)) };
});

/** An authority whose CA v2 has replaced v1, and the Secret of v1 as a backup has it. */
async function replaced(world: World): Promise<{ swap: Swap; backup: RawObject }> {
  const swap = await startSwap(world, { clients: ['alice'] });
  const backup = await eventually('v1 signs', async () => {
    const found = await world.client.get(SECRETS, swap.namespace, 'ca-ca-v1');
    return found?.metadata?.annotations?.['certwheel.io/generation-state'] === 'Active' && found;
  });
  await swap.put(swap.cas.v2);
  await swap.untilOnly(swap.cas.v2);
  await eventually('no ca.crt has v1', () => lastOf(swap).every(({ trusted }) => trusted.join() === 'v2'));
  return { swap, backup };
}

const lastOf = ({ history }: Swap) => [...history.before(history.states.length).values()];

let issued = 0;
/** One more certificate and one that is renewed: both show what signs, and what is trusted, now. */
async function issueAgain(world: World, { namespace, history }: Swap): Promise<void> {
  const name = `late-${++issued}`;
  await create(world, clientCertificate(namespace, name));
  await untilReady(world, namespace, name);
  const { annotations = {} } = (await readSecret(world, namespace, 'alice-tls')) ?? {};
  await renewAt(world, namespace, 'alice');
  await untilRevision(world, namespace, 'alice-tls', Number(annotations['certwheel.io/revision']) + 1);
  await eventually('the history knows the new one', () => history.states.some((each) => each.name === `${name}-tls`));
}

/** At no version of any Secret since `index` of the history did v1 sign, or was trusted. */
function provesGone({ history }: Swap, index: number): void {
  const since = history.states.slice(index);
  assert.ok(since.length > 0);
  for (const { name, issuer, trusted } of since) assert.equal([name, issuer, trusted], [name, 'v2', ['v2']]);
}

/** The control: the history sees v1 sign and be trusted, as long as it is. */
function provesSeen({ history }: Swap): void {
  const first = history.states.find(({ name }) => name === 'alice-tls');
  assert.equal([first?.issuer, first?.trusted], ['v1', ['v1']]);
}

for (const [when, aheadMs] of [
  ['past', -3_600_000],
  ['future', AHEAD_MS],
] as const)
  test(`a retired CA that a backup brings again, active since a moment in the ${when}, is in no ca.crt, signs nothing, and is told of`, async () => {
    const { world, swap, backup } = await scene.get();
    const { namespace } = swap;
    provesSeen(swap);
    const index = swap.history.states.length;
    const sinceMs = Date.now() + aheadMs;
    await restoreSecret(world, namespace, backup, {
      'certwheel.io/generation-state-since': new Date(sinceMs).toISOString(),
    });
    await eventually('the moment has passed', () => Date.now() > sinceMs);
    await issueAgain(world, swap);
    provesGone(swap, index);
    const message = await untilForeign(world, namespace, 'ca-ca-v1');
    const fingerprint = fingerprintOf(swap.cas.v1);
    assert.match(message, `SHA-256 ${fingerprint}`);
    assert.match(message, `kubectl describe secrets --namespace ${namespace} ca-ca-v1`);
    assert.match(message, `kubectl delete secrets --namespace ${namespace} ca-ca-v1`);
    await untilWarned(world, namespace, fingerprint);
    await deleteSecret(world, namespace, 'ca-ca-v1');
    await untilNoneForeign(world, namespace);
    await issueAgain(world, swap);
    provesGone(swap, index);
  });

test('so it is where the status was wiped, where the Secret comes while no controller runs, and where its mark is another one', async () => {
  const { world, restart, swap, backup } = await scene.get();
  const { namespace } = swap;
  const index = swap.history.states.length;
  await restart(async () => {
    await writeStatus(world, namespace, null);
    await restoreSecret(world, namespace, backup);
  });
  await issueAgain(world, swap);
  provesGone(swap, index);
  await untilForeign(world, namespace, 'ca-ca-v1');
  const kept = await world.client.get(SECRETS, namespace, 'ca-ca-v2');
  const { annotations } = kept?.metadata ?? {};
  await patchSecret(world, namespace, 'ca-ca-v1', { metadata: { annotations } });
  await issueAgain(world, swap);
  await deleteSecret(world, namespace, 'ca-ca-v1');
  provesGone(swap, index);
});

test('a status that calls the CA which signs retired stops nothing', async () => {
  const { world, restart, swap } = await scene.get();
  const { namespace } = swap;
  const index = swap.history.states.length;
  const generations = [1_000_000, 2].map((version) => ({ version, state: 'Retired' }));
  await restart(() => writeStatus(world, namespace, { generations }));
  await issueAgain(world, swap);
  await writeStatus(world, namespace, { generations });
  await issueAgain(world, swap);
  await swap.untilOnly(swap.cas.v2);
  provesGone(swap, index);
});

function writeStatus(world: World, namespace: string, status: object | null): Promise<unknown> {
  const path = resourcePath(CERTIFICATE_AUTHORITIES, namespace, 'ca', 'status');
  return plainApi(world.cluster).send('PATCH', path, { status }, 'application/merge-patch+json');
}

test.run();
