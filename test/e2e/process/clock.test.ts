import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import type { App } from '../../../src/app.ts';
import { startAppHere } from '../support/app-here.ts';
import { secretAuthority } from '../support/ca-secret.ts';
import type { LogLine } from '../support/controller-process.ts';
import { deleteSecret, patchCertificate } from '../support/edits.ts';
import { issuedAt, provesSoon } from '../support/moments.ts';
import {
  authorityStatusOf,
  clientCertificate,
  conditionOf,
  create,
  readSecret,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { type StoredCertificate, watchCertificates } from '../support/secret-witness.ts';
import type { Witness } from '../support/witness.ts';
import { eventually, oneWorld, type World } from '../support/world.ts';
import { bugs, lines, snapshot, untilQuiet } from './support/fleet.ts';
import { parseMetrics } from './support/metrics.ts';
import { startEarly } from './support/start-early.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** A clock that was set is noticed within 5 s; what follows takes a little more. */
const NOTICED_MS = 7_000;
/** For this long a certificate of 90 days is left alone. */
const AT_REST_MS = 12_000;

const shared = oneWorld();
test.after(shared.stop);

/** Node warns of timers that are negative or too long; there must be no warning. */
const warnings: string[] = [];
process.on('warning', ({ name }) => warnings.push(name));

/** The app itself, in this process, with a clock of its own that a test can set. */
interface TimeTraveller {
  readonly world: World;
  readonly namespace: string;
  readonly logs: readonly LogLine[];
  /** By how much its clock is ahead. */
  setTo(offsetMs: number): void;
  /** Reconciles of certificates so far. */
  runs(): Promise<number>;
  /** Every status of its certificate so far. */
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

/** Sets the clock, and waits for the status that tells of another certificate, which must be issued as soon as noticed. */
async function renewedOnceSet({ world, namespace, setTo }: TimeTraveller, offsetMs: number) {
  const { serialNumber } = await statusOf(world, namespace, 'alice');
  const jumpedMs = Date.now();
  setTo(offsetMs);
  const status = await eventually('it is renewed', async () => {
    const found = await statusOf(world, namespace, 'alice');
    return found.serialNumber !== serialNumber && found;
  });
  const secret = await readSecret(world, namespace, 'alice-tls');
  // By the clock that was set.
  const tookMs = issuedAt(secret?.object ?? {}).getTime() - offsetMs - jumpedMs;
  assert.ok(tookMs >= 0 && tookMs < NOTICED_MS, `issued ${tookMs} ms after the clock was set`);
  return { status, secret };
}

/** How many versions of its ClientCertificate there have been: none is under way when nothing is due. */
async function versionsSoFar({ world, namespace, told }: TimeTraveller): Promise<number> {
  const stored = await world.client.get(CLIENT_CERTIFICATES, namespace, 'alice');
  const isLast = () =>
    told.versions('alice').at(-1)?.object.metadata?.resourceVersion === stored?.metadata?.resourceVersion;
  await eventually('the witness has seen the last version', isLast);
  return told.versions('alice').length;
}

const forward = startEarly(() =>
  travel(async (traveller) => {
    const { world, namespace, logs, setTo, told } = traveller;
    await issueAlice(traveller);
    const before = await versionsSoFar(traveller);
    const jumped = new Date();
    const { status: renewed, secret } = await renewedOnceSet(traveller, 25 * HOUR);
    const dishonest = told
      .versions('alice')
      .slice(before)
      .filter(({ object: { status = {} } }) => conditionOf(status, 'Ready')?.status === 'True')
      .filter(({ object: { status } }) => new Date(String(status?.notAfter)).getTime() < jumped.getTime() + 25 * HOUR);
    // Now the same without a CA that could renew it.
    await deleteSecret(world, namespace, 'ca-pair');
    await deleteSecret(world, namespace, 'ca-ca-v1');
    await eventually('the authority has lost its CA', async () => {
      const ready = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready');
      return ready?.status === 'False';
    });
    setTo(50 * HOUR);
    const wanted = { status: 'False', reason: 'Expired' };
    const expired = await untilReady(world, namespace, 'alice', wanted, NOTICED_MS);
    return { renewed, dishonest, secret, expired, signed: lines(logs, 'signing').length, bugs: bugs(logs) };
  }),
);

test('a clock that is set forward beyond the end of a certificate renews it', async () => {
  const { renewed, dishonest, secret, signed, bugs } = await forward();
  assert.equal(dishonest, []);
  assert.is(conditionOf(renewed, 'Ready')?.status, 'True');
  assert.ok(new Date(String(renewed.notAfter)).getTime() > Date.now() + 48 * HOUR);
  assert.is(secret?.leaf.serialNumber.toLowerCase(), renewed.serialNumber);
  assert.is(signed, 2);
  assert.equal(bugs, []);
});

test('a certificate that cannot be renewed then is reported as expired', async () => {
  const { expired } = await forward();
  assert.is(conditionOf(expired, 'Ready')?.reason, 'Expired');
});

const backward = startEarly(() =>
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
    await untilReady(world, namespace, 'alice', { status: 'False' });
    const template = { spec: { secretTemplate: { labels: { team: 'blue' } } } };
    await patchCertificate(world, namespace, 'alice', template);
    const patchedMs = Date.now();
    const obeyed = await eventually('it still does what it is told to', async () => {
      const secret = await readSecret(world, namespace, 'alice-tls');
      return secret?.labels.team === 'blue' && secret.object;
    });
    provesSoon('it still does what it is told to', obeyed, patchedMs, 5_000);
    const signed = lines(logs, 'signing').length;
    return { quiet, seen, runs: runsAfter - runsBefore, signed, bugs: bugs(logs) };
  }),
);

test('a clock that is set back by two hours, and by a year, issues nothing and writes no Secret', async () => {
  const { quiet, seen, runs, signed, bugs } = await backward();
  assert.is(signed, 1);
  // The status does change, since a certificate is not valid before its notBefore.
  for (const each of seen) assert.equal({ ...each, alice: '' }, { ...quiet, alice: '' });
  console.log(`${runs} looks in ${(3 * NOTICED_MS) / 1000} s`);
  assert.ok(runs < 20, `${runs} looks`);
  assert.equal(bugs, []);
});

const farAway = startEarly(() =>
  travel(async (traveller) => {
    const { world, namespace, logs, setTo, runs } = traveller;
    await issueAlice(traveller);
    const { status: then } = await renewedOnceSet(traveller, 10 * YEAR);
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

test('ten years forward and back: the controller works on, without a hot loop', async () => {
  const { then, runs, bob, bugs } = await farAway();
  assert.is(conditionOf(then, 'Ready')?.status, 'True');
  assert.ok(runs < 10, `${runs} looks`);
  assert.is(conditionOf(bob, 'Ready')?.status, 'True');
  assert.ok(new Date(String(bob.notAfter)).getTime() < Date.now() + 25 * HOUR);
  assert.equal(bugs, []);
});

test('ten years forward and back: a Ready certificate is valid by the corrected clock', async () => {
  const { secret, ready } = await farAway();
  const valid = (secret?.leaf.validFromDate ?? 0) <= new Date();
  assert.ok(
    valid || ready?.status !== 'True',
    `Ready=${ready?.status}, but not valid before ${secret?.leaf.validFrom}`,
  );
});

const long = startEarly(() =>
  travel(async (traveller) => {
    const issued = await issueAlice(traveller, { duration: '2160h' });
    const runsBefore = await traveller.runs();
    await sleep(AT_REST_MS);
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
