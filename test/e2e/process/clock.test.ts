import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { App } from '../../../src/app.ts';
import { startAppHere } from '../support/app-here.ts';
import type { LogLine } from '../support/controller-process.ts';
import { patchCertificate } from '../support/edits.ts';
import { clientCertificate, conditionOf, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { type StoredCertificate, watchCertificates } from '../support/secret-witness.ts';
import type { Witness } from '../support/witness.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { begun } from './support/begun.ts';
import { deleteSecret, secretAuthority } from './support/ca.ts';
import { bugs, lines, snapshot, untilQuiet } from './support/fleet.ts';
import { parseMetrics } from './support/metrics.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** A clock that was set is noticed within 5 s, and a little more on a busy machine. */
const NOTICED_MS = 7_000;

const shared = oneWorld();
test.after(shared.stop);

/** What Node says about timers that are negative or too long; there must be nothing. */
const warnings: string[] = [];
process.on('warning', ({ name }) => warnings.push(name));

/** The app itself, in this process, with a clock of its own that a test can set. */
interface TimeTraveller {
  readonly world: World;
  readonly namespace: string;
  readonly logs: readonly LogLine[];
  /** By how much its clock is ahead. */
  setTo(offsetMs: number): void;
  /** Looks at certificates so far. */
  runs(): Promise<number>;
  /** What its certificate's status has said so far. */
  readonly told: Witness<StoredCertificate>;
}

async function travel<T>(journey: (traveller: TimeTraveller) => Promise<T>): Promise<T> {
  const world = await shared.get();
  const namespace = await world.namespace();
  const { app, logs, setTo, stop } = await startAppHere(world, namespace);
  const told = await watchCertificates(world, namespace);
  try {
    return await journey({ world, namespace, logs, setTo, runs: () => runsOf(app), told });
  } finally {
    await stop();
  }
}

async function runsOf(app: App): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${app.metricsPort}/metrics`)).text();
  return parseMetrics(text).value('certwheel_workqueue_runs_total', { controller: 'certificates' }) ?? 0;
}

async function issueAlice({ world, namespace }: TimeTraveller, spec: Record<string, unknown> = {}) {
  await secretAuthority(world, namespace);
  await create(world, clientCertificate(namespace, 'alice', { duration: '24h', ...spec }));
  return untilReady(world, namespace, 'alice');
}

/** The status that tells of another certificate than that one. */
function untilReplaced({ world, namespace }: TimeTraveller, serialNumber: string) {
  const replaced = async () => {
    const status = await statusOf(world, namespace, 'alice');
    return status.serialNumber !== serialNumber && status;
  };
  return eventually('it is renewed', replaced, NOTICED_MS);
}

const forward = begun(() =>
  travel(async (traveller) => {
    const { world, namespace, logs, setTo, told } = traveller;
    const before = await issueAlice(traveller);
    const jumped = new Date();
    setTo(25 * HOUR);
    const renewed = await untilReplaced(traveller, String(before.serialNumber));
    const dishonest = told
      .versions('alice')
      .filter(({ object: { status = {} }, at }) => at > jumped && conditionOf(status, 'Ready')?.status === 'True')
      .filter(({ object: { status } }) => new Date(String(status?.notAfter)).getTime() < jumped.getTime() + 25 * HOUR);
    const secret = await readSecret(world, namespace, 'alice-tls');
    // Now the same with nobody there who could renew it.
    await deleteSecret(world, namespace, 'ca-pair');
    await deleteSecret(world, namespace, 'ca-ca-v1');
    await sleep(500);
    setTo(50 * HOUR);
    const began = performance.now();
    await untilReady(world, namespace, 'alice', { status: 'False', reason: 'Expired' }, 20_000);
    const toldMs = Math.round(performance.now() - began);
    return { renewed, dishonest, secret, toldMs, signed: lines(logs, 'signing').length, bugs: bugs(logs) };
  }),
);

test('a clock that is set forward beyond the end of a certificate has it renewed', async () => {
  const { renewed, dishonest, secret, signed, bugs } = await forward();
  assert.equal(dishonest, []);
  assert.is(conditionOf(renewed, 'Ready')?.status, 'True');
  assert.ok(new Date(String(renewed.notAfter)).getTime() > Date.now() + 48 * HOUR);
  assert.is(secret?.leaf.serialNumber.toLowerCase(), renewed.serialNumber);
  assert.is(signed, 2);
  assert.equal(bugs, []);
});

test('where nobody can renew it, it is said to be expired as soon as that is noticed', async () => {
  const { toldMs } = await forward();
  console.log(`told after ${toldMs} ms`);
  assert.ok(toldMs < NOTICED_MS, `${toldMs} ms`);
});

const backward = begun(() =>
  travel(async (traveller) => {
    const { world, namespace, logs, setTo, runs } = traveller;
    await issueAlice(traveller);
    const quiet = await untilQuiet(world, namespace);
    const runsBefore = await runs();
    const seen = [];
    for (const offset of [-2 * HOUR, -YEAR, 0]) {
      setTo(offset);
      await sleep(NOTICED_MS);
      seen.push(await snapshot(world, namespace));
    }
    const runsAfter = await runs();
    setTo(-YEAR);
    await sleep(1_000);
    const template = { spec: { secretTemplate: { labels: { team: 'blue' } } } };
    const began = performance.now();
    await patchCertificate(world, namespace, 'alice', template);
    await eventually(
      'it still does what it is told to',
      async () => (await readSecret(world, namespace, 'alice-tls'))?.labels.team === 'blue',
      20_000,
    );
    const obeyedMs = Math.round(performance.now() - began);
    const signed = lines(logs, 'signing').length;
    return { quiet, seen, runs: runsAfter - runsBefore, obeyedMs, signed, bugs: bugs(logs) };
  }),
);

test('a clock that is set back by two hours, and by a year, has nothing issued and no Secret written', async () => {
  const { quiet, seen, runs, obeyedMs, signed, bugs } = await backward();
  assert.is(signed, 1);
  // The status does change: before its notBefore a certificate is not valid, whoever is to blame.
  for (const each of seen) assert.equal({ ...each, alice: '' }, { ...quiet, alice: '' });
  console.log(`${runs} looks in ${(3 * NOTICED_MS) / 1000} s; obeyed after ${obeyedMs} ms in the past`);
  assert.ok(runs < 20, `${runs} looks`);
  assert.ok(obeyedMs < 5_000);
  assert.equal(bugs, []);
});

const farAway = begun(() =>
  travel(async (traveller) => {
    const { world, namespace, logs, setTo, runs } = traveller;
    const before = await issueAlice(traveller);
    setTo(10 * YEAR);
    const then = await untilReplaced(traveller, String(before.serialNumber));
    const runsBefore = await runs();
    setTo(0);
    await sleep(NOTICED_MS);
    const runsAfter = await runs();
    const secret = await readSecret(world, namespace, 'alice-tls');
    const ready = conditionOf(await statusOf(world, namespace, 'alice'), 'Ready');
    await create(world, clientCertificate(namespace, 'bob'));
    const bob = await untilReady(world, namespace, 'bob');
    const signed = lines(logs, 'signing').length;
    return { then, runs: runsAfter - runsBefore, secret, ready, bob, signed, bugs: bugs(logs) };
  }),
);

test('ten years forward and back: it works on, and nothing spins', async () => {
  const { then, runs, bob, bugs } = await farAway();
  assert.is(conditionOf(then, 'Ready')?.status, 'True');
  assert.ok(runs < 10, `${runs} looks`);
  assert.is(conditionOf(bob, 'Ready')?.status, 'True');
  assert.ok(new Date(String(bob.notAfter)).getTime() < Date.now() + 25 * HOUR);
  assert.equal(bugs, []);
});

test('ten years forward and back: what is called Ready is valid by the clock that was put right', async () => {
  const { secret, ready } = await farAway();
  const valid = (secret?.leaf.validFromDate ?? 0) <= new Date();
  assert.ok(
    valid || ready?.status !== 'True',
    `Ready=${ready?.status}, but not valid before ${secret?.leaf.validFrom}`,
  );
});

const long = begun(() =>
  travel(async (traveller) => {
    const issued = await issueAlice(traveller, { duration: '2160h' });
    const runsBefore = await traveller.runs();
    await sleep(12_000);
    const runs = (await traveller.runs()) - runsBefore;
    return { issued, runs, signed: lines(traveller.logs, 'signing').length };
  }),
);

test('a certificate of 90 days, longer than the longest timer, is not renewed at once', async () => {
  const { issued, runs, signed } = await long();
  assert.is(signed, 1);
  assert.ok(new Date(String(issued.renewalTime)).getTime() > Date.now() + 40 * DAY);
  assert.ok(runs <= 2, `${runs} looks`);
});

test('no timer was negative or too long for Node', () => {
  assert.equal(
    warnings.filter((name) => name.startsWith('Timeout')),
    [],
  );
});

test.run();
