import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LogLine } from '../support/controller-process.ts';
import { patchCertificate } from '../support/edits.ts';
import { eventually, QUIET_MS } from '../support/eventually.ts';
import { loggedAt } from '../support/moments.ts';
import { createAuthority, readSecret, selfManaged } from '../support/objects.ts';
import { watchSecrets } from '../support/secret-witness.ts';
import { oneWorld } from '../support/world.ts';
import { ensureNamespace, holder, SYSTEM_NAMESPACE } from './support/access.ts';
import { seededRandom } from './support/chance.ts';
import { bugs, createAll, deleteAll, lines, numbered, snapshot, untilAllReady, untilQuiet } from './support/fleet.ts';
import { faultsOf, publishedSerials, signedAndLost, unjustified } from './support/justified.ts';

const KILLS = 20;
const CERTIFICATES = 40;
/** For this long a controller that starts again writes nothing. */
const RESTARTED_MS = 3_000;

const shared = oneWorld();
test.after(shared.stop);

test('a controller that was killed and starts again issues nothing and writes nothing', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const first = await world.controller();
  await createAuthority(world, selfManaged(namespace));
  await createAll(world, namespace, numbered(10));
  await untilAllReady(world, namespace, 10);
  const quiet = await untilQuiet(world, namespace);
  await first.kill();
  const second = await world.controller();
  await sleep(RESTARTED_MS);
  assert.equal(await snapshot(world, namespace), quiet);
  assert.is(lines(second.logs, 'signing').length, 0);
  await second.kill();
  await deleteAll(world, namespace);
});

test(`${KILLS} kills under load leave nothing stuck, nothing half written, and nothing issued without a reason`, async () => {
  const world = await shared.get();
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`SEED=${seed}`);
  const random = seededRandom(seed);
  const namespace = await world.namespace();
  const secrets = await watchSecrets(world, namespace);
  await createAuthority(world, selfManaged(namespace));
  const subjects = new Map<string, string>();
  const lives: (readonly LogLine[])[] = [];

  for (let kill = 0; kill < KILLS; kill++) {
    const controller = world.launch();
    lives.push(controller.logs);
    const isUp = () => lines(controller.logs, 'in sync').length > 0;
    // Half of them at a random moment, even during the start; the others as soon as they have signed something.
    if (kill % 2 === 0) await sleep(random() * 1_500);
    else await eventually('it is up', isUp);
    const signedBefore = lines(controller.logs, 'signing').length;
    const fresh = numbered(CERTIFICATES / KILLS, `c${kill}-`);
    const changed = [...subjects.keys()].filter(() => random() < 0.3);
    await Promise.all([
      createAll(world, namespace, fresh, { duration: '1m' }),
      ...changed.map((name) => patchCertificate(world, namespace, name, { spec: { commonName: `${name} ${kill}` } })),
    ]);
    for (const name of fresh) subjects.set(name, `CN=${name}`);
    for (const name of changed) subjects.set(name, `CN=${name} ${kill}`);
    if (kill % 2 !== 0) await eventually('it signs', () => lines(controller.logs, 'signing').length > signedBefore);
    // At a random moment of what it has begun.
    await sleep(random() * 20);
    await controller.kill();
  }
  const lastLife = world.launch();
  lives.push(lastLife.logs);
  const healedMs = await untilAllReady(world, namespace, CERTIFICATES);
  await sleep(QUIET_MS);
  await lastLife.stop();
  await secrets.settled();

  const names = [...subjects.keys()];
  for (const [name, subject] of subjects)
    assert.is((await readSecret(world, namespace, `${name}-tls`))?.leaf.subject, subject);
  assert.equal(faultsOf(secrets, names), []);
  assert.equal(unjustified(secrets, names), []);
  assert.equal(lives.flatMap(bugs), []);
  const published = publishedSerials(secrets, names);
  const { signed, lost } = signedAndLost(lives, published);
  console.log(
    `Ready ${healedMs} ms after the last start; ${published.length} published, ${signed} signed, ${lost} lost in ${KILLS} kills`,
  );
  await deleteAll(world, namespace);
});

test('SIGTERM ends it at once with exit code 0, and gives back the Lease', async () => {
  const world = await shared.get();
  await ensureNamespace(world, SYSTEM_NAMESPACE);
  const controller = await world.controller(['--leader-elect']);
  await eventually('it holds the Lease', async () => (await holder(world, SYSTEM_NAMESPACE)) !== '');
  const stoppedMs = Date.now();
  assert.is(await controller.stop(), 0);
  const tookMs = loggedAt(controller.logs.at(-1)).getTime() - stoppedMs;
  assert.ok(tookMs >= 0 && tookMs < 2_000, `${tookMs} ms`);
  assert.is(await holder(world, SYSTEM_NAMESPACE), '');
});

test.run();
