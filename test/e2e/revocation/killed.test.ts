import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REVOKE_ANNOTATION } from '../../../src/api/revocation.ts';
import { onStop } from '../../teardown.ts';
import { createAuthority, untilAuthority } from '../backends/place.ts';
import { makeStepCa } from '../backends/servers/step-ca.ts';
import { revokedBy, serve } from '../backends/step-ca-subject.ts';
import { seededRandom } from '../process/support/chance.ts';
import { bugs, createAll, lines, numbered, untilAllReady } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { patchCertificate } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/objects.ts';
import { oneWorld, type World } from '../support/world.ts';

// The witness is step-ca itself, which lists what it has revoked.

const CERTIFICATES = 30;
const KILLS = 6;
const OF_ONE_LIFE = CERTIFICATES / KILLS;
/** What was under way when everything seemed done has come to its end by then. */
const QUIET_MS = 3_000;
/** A Lease of 15 s runs out first, and the machine may be busy. */
const HEALED_MS = 120_000;

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
console.log(`# SEED=${seed}`);
const shared = oneWorld();
test.after(shared.stop);

/** Ready certificates of a step-ca of their own, while no controller runs. */
async function issuedByStepCa(flags: readonly string[]) {
  const world = await shared.get();
  const served = await serve(await makeStepCa());
  onStop(() => served.stop());
  const namespace = await world.namespace();
  const where = { world, namespace };
  const args = [
    '--allow-loopback-authorities',
    '--namespaces',
    namespace,
    '--controller-namespace',
    namespace,
    ...flags,
  ];
  await createAuthority(where, 'stepCA', await served.prepare(where));
  const controller = await world.controller(args);
  await untilAuthority(where);
  const names = numbered(CERTIFICATES);
  await createAll(world, namespace, names);
  await untilAllReady(world, namespace, CERTIFICATES);
  await controller.stop();
  return {
    world,
    namespace,
    names,
    ca: served.ca,
    launch: () => world.launch(args),
  };
}

/** Asks to revoke what each of them holds; answers the serial numbers. */
async function askAll(world: World, namespace: string, names: readonly string[]): Promise<string[]> {
  const serials: string[] = [];
  for (const [index, name] of names.entries()) {
    const { serialNumber = '' } = await statusOf(world, namespace, name);
    const reason = index % 2 === 0 ? 'keyCompromise' : 'superseded';
    const annotations = { [REVOKE_ANNOTATION]: `${serialNumber}=${reason}` };
    await patchCertificate(world, namespace, name, { metadata: { annotations } });
    serials.push(serialNumber);
  }
  return serials;
}

/** Waits until all say that theirs is revoked and each has another one, and step-ca lists these and no others. */
async function untilExactlyRevoked(
  { world, namespace, names, ca }: Awaited<ReturnType<typeof issuedByStepCa>>,
  serials: readonly string[],
  lives: readonly ControllerProcess[],
) {
  let open: readonly string[] = names;
  await eventually(
    'all are revoked and replaced',
    async () => {
      const all = await Promise.all(names.map(async (name) => [name, await statusOf(world, namespace, name)] as const));
      open = all.filter(([, { revocations }]) => revocations?.[0]?.state !== 'Revoked').map(([name]) => name);
      return open.length === 0;
    },
    HEALED_MS,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${open.join(', ')}`);
  });
  await untilAllReady(world, namespace, CERTIFICATES);
  await sleep(QUIET_MS);
  assert.equal((await revokedBy(ca)).sort(), [...serials].sort());
  for (const [index, name] of names.entries()) {
    const { serialNumber, revocations } = await statusOf(world, namespace, name);
    assert.is.not(serialNumber, serials[index]);
    assert.equal(revocations, [{ serialNumber: serials[index], state: 'Revoked' }]);
  }
  assert.equal(
    lives.flatMap(({ logs }) => bugs(logs)),
    [],
  );
}

const revokedIn = ({ logs }: ControllerProcess) => lines(logs, 'certificate revoked').length;

// Both at the same time: the second one mostly waits for a Lease.

const killed = startEarly(async () => {
  const random = seededRandom(seed);
  const scene = await issuedByStepCa([]);
  const { world, namespace, names, launch } = scene;
  const serials: string[] = [];
  const lives: ControllerProcess[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const controller = launch();
    lives.push(controller);
    serials.push(...(await askAll(world, namespace, names.slice(OF_ONE_LIFE * kill, OF_ONE_LIFE * (kill + 1)))));
    // Half of them at a random moment, even during the start; the others as soon as something is revoked.
    if (kill % 2 === 0) await sleep(random() * 4_000);
    else await eventually('it revokes', () => revokedIn(controller) > 0);
    await sleep(random() * 50);
    await controller.kill();
  }
  const last = launch();
  lives.push(last);
  await untilExactlyRevoked(scene, serials, lives);
  console.log(`${lives.map(revokedIn).join(' ')} revoked by each of ${lives.length} processes`);
  await last.stop();
});

const replaced = startEarly(async () => {
  const scene = await issuedByStepCa(['--leader-elect']);
  const { world, namespace, names, launch } = scene;
  const lives = [launch(), launch()];
  const leads = ({ logs }: ControllerProcess) => lines(logs, 'became the leader').length > 0;
  const dead = new Set<ControllerProcess>();
  const untilLed = () =>
    eventually('one leads', () => lives.find((each) => leads(each) && !dead.has(each)) ?? false, HEALED_MS);
  const serials: string[] = [];
  for (let kill = 0; kill < 2; kill++) {
    const leader = await untilLed();
    serials.push(...(await askAll(world, namespace, names.slice(10 * kill, 10 * kill + 10))));
    await eventually('it revokes', () => revokedIn(leader) > 0);
    await leader.kill();
    dead.add(leader);
    lives.push(launch());
  }
  serials.push(...(await askAll(world, namespace, names.slice(20))));
  await untilExactlyRevoked(scene, serials, lives);
  console.log(`${lives.map(revokedIn).join(' ')} revoked by each of ${lives.length} processes`);
  for (const each of lives) if (!dead.has(each)) await each.stop();
});

test(`${KILLS} kills while certificates are revoked: step-ca lists exactly those in the end, and each has a successor`, async () => {
  await killed();
});

test('the same with two replicas and leader election, of which the leader is killed twice in the middle of it', async () => {
  await replaced();
});

test.run();
