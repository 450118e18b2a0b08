import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LEASES } from '../../../src/api/names.ts';
import { Lease } from '../../../src/kube/lease.ts';
import { onStop } from '../../teardown.ts';
import type { Matcher } from './fault-proxy.ts';
import { type Connected, logger, newNamespace, pause, standBehindProxy, until } from './fixture.ts';
import { OwnClock } from './own-clock.ts';

const test = suite('lease');
const stand = standBehindProxy(test);

const TIMING = { durationMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 };
/** For what must not lapse while a test looks on, even where its process has to wait for a processor. */
const PATIENT = { durationMs: 45_000, renewDeadlineMs: 30_000, retryMs: 500 };
const name = 'certwheel';

let namespace: string;
let candidates: Candidate[];

type Request = Parameters<Matcher>[0];

interface Candidate {
  lease: Lease;
  clock: OwnClock;
  started: number;
  lost: number;
  /** Called when it begins to lead. */
  onStarted(): void;
  stop(): Promise<void>;
}

test.before.each(async () => {
  namespace = await newNamespace(stand.direct.client);
  candidates = [];
});

test.after.each(async () => {
  for (const { clock } of candidates) clock.thaw();
  await Promise.all(candidates.map(({ stop }) => stop()));
});

/** A replica that stands again whenever it has lost. */
function standForElection(identity: string, { client }: Connected = stand.direct, timing = TIMING): Candidate {
  const clock = new OwnClock();
  const lease = new Lease({ client, clock, logger, namespace, name, identity, timing });
  const stopping = new AbortController();
  const candidate: Candidate = {
    lease,
    clock,
    started: 0,
    lost: 0,
    onStarted: () => {},
    stop: () => {
      stopping.abort();
      return running;
    },
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      const onStarted = () => {
        candidate.started++;
        candidate.onStarted();
      };
      await lease.run(stopping.signal, { onStarted, onLost: () => candidate.lost++ });
    }
  };
  const running = run();
  candidates.push(candidate);
  return candidate;
}

const inCluster = async () => (await stand.direct.client.get(LEASES, namespace, name))?.spec as Record<string, unknown>;

const isOnOurs = ({ path }: Request) => path.includes(`/${namespace}/leases`);
const isRenewal = (request: Request) => request.method === 'PATCH' && isOnOurs(request);

test('a candidate takes a Lease without a holder, and renews it', async () => {
  const { lease } = standForElection('one');
  await until('it leads', () => lease.held());
  const first = await inCluster();
  assert.is(first.holderIdentity, 'one');
  assert.is(first.leaseDurationSeconds, 3);
  assert.is(first.leaseTransitions, 0);
  assert.match(String(first.renewTime), /\.\d{6}Z$/);
  await until('it is renewed', async () => (await inCluster()).renewTime !== first.renewTime);
  const later = await inCluster();
  assert.ok(String(later.renewTime) > String(first.renewTime));
  assert.is(later.acquireTime, first.acquireTime);
});

test('a renewal costs one request', async () => {
  const { lease } = standForElection('one', stand.proxied);
  await until('it leads', () => lease.held());
  const before = stand.proxy.requests.length;
  const began = performance.now();
  await pause(3_000);
  // Every half second, and somewhat more often by chance; the pause may have been longer.
  const most = (8 / 3_000) * (performance.now() - began);
  const { method } = stand.proxy.requests[before] ?? {};
  assert.is(method, 'PATCH');
  assert.ok(stand.proxy.requests.length - before <= most, `${stand.proxy.requests.length - before} requests in 3 s`);
});

test('two candidates never hold it at once, whatever happens to the requests of one', async () => {
  const one = standForElection('one', stand.proxied);
  await until('one leads', () => one.lease.held());
  const two = standForElection('two');
  let both = 0;
  const look = () => {
    if (one.lease.held() && two.lease.held()) both++;
  };
  // At each moment at which one of them begins to hold it, and in between.
  for (const each of [one, two]) each.onStarted = look;
  const watching = setInterval(look, 2);
  onStop(() => clearInterval(watching));
  for (const fault of [
    { kind: 'dropAfter' },
    { kind: 'dropBefore' },
    { kind: 'delay', ms: 1_500 },
    { kind: 'answer', status: 500 },
    { kind: 'answer', status: 429 },
  ] as const) {
    const end = stand.proxy.when(({ path }) => path.includes('/leases'), fault, { times: 1_000 });
    await pause(4_500);
    end();
    await pause(500);
  }
  clearInterval(watching);
  assert.is(both, 0);
  assert.ok(one.lost >= 1 && two.started >= 1, `${one.lost} lost, ${two.started} taken`);
});

test('an answer that was lost is no reason to step down', async () => {
  const one = standForElection('one', stand.proxied, PATIENT);
  await until('it leads', () => one.lease.held());
  const before = stand.proxy.requests.length;
  stand.proxy.when(isRenewal, { kind: 'dropAfter' });
  await until('it is renewed twice more', () => stand.proxy.requests.slice(before).filter(isRenewal).length > 2);
  assert.ok(one.lease.held());
  assert.equal([one.started, one.lost], [1, 0]);
});

test('a leader that was frozen knows on waking that it may not act, before any of its timers', async () => {
  const one = standForElection('one');
  await until('one leads', () => one.lease.held());
  const two = standForElection('two');
  one.clock.freeze();
  await until('two leads', () => two.lease.held());
  assert.not(one.lease.held());
  one.clock.thaw();
  assert.not(one.lease.held());
  await until('it has stepped down', () => one.lost === 1);
  assert.ok(two.lease.held());
  assert.is((await inCluster()).leaseTransitions, 1);
});

test('a Lease given back is taken over at once', async () => {
  const one = standForElection('one');
  await until('one leads', () => one.lease.held());
  const two = standForElection('two', stand.proxied);
  await until('two has asked for it', () => stand.proxy.requests.some(isOnOurs));
  await one.stop();
  await one.lease.release();
  assert.not(one.lease.held());
  const { holderIdentity, leaseDurationSeconds } = await inCluster();
  assert.ok(holderIdentity === '' || holderIdentity === undefined, `held by ${holderIdentity}`);
  assert.is(leaseDurationSeconds, 1);
  const before = stand.proxy.requests.length;
  await until('two leads', () => two.lease.held());
  // It finds the Lease free the next time it asks.
  const asked = stand.proxy.requests.slice(before).filter(isOnOurs);
  const reads = asked.findIndex(isRenewal);
  assert.ok(reads === 0 || reads === 1, `taken after ${reads} reads`);
});

test('processes with one identity hold it together, and only one that sees no other gives it back', async () => {
  const [one, two] = [standForElection('both', stand.direct, PATIENT), standForElection('both', stand.direct, PATIENT)];
  await until('both hold it', () => one.lease.held() && two.lease.held());
  await one.stop();
  await one.lease.releaseUnless(async () => true);
  assert.is((await inCluster()).holderIdentity, 'both');
  await two.stop();
  await two.lease.releaseUnless(async () => false);
  assert.is((await inCluster()).holderIdentity, '');
});

test('one that confirms it while another gives it back keeps it', async () => {
  const [one, two] = [standForElection('both', stand.direct, PATIENT), standForElection('both', stand.direct, PATIENT)];
  await until('both hold it', () => one.lease.held() && two.lease.held());
  await Promise.all([one.stop(), two.stop()]);
  await one.lease.releaseUnless(async () => {
    assert.ok(await two.lease.confirm(new AbortController().signal));
    return false;
  });
  assert.is((await inCluster()).holderIdentity, 'both');
  assert.ok(two.lease.held());
});

test('clocks that are an hour wrong to either side change nothing', async () => {
  const one = standForElection('one');
  one.clock.skewMs = -3_600_000;
  await until('one leads', () => one.lease.held());
  const two = standForElection('two');
  two.clock.skewMs = 3_600_000;
  const three = standForElection('three');
  three.clock.skewMs = -7_200_000;
  await pause(4_500);
  assert.ok(one.lease.held());
  assert.is(two.started + three.started, 0);
});

test('a Lease that someone deletes is made again by its leader', async () => {
  const one = standForElection('one');
  await until('one leads', () => one.lease.held());
  await stand.direct.client.delete(LEASES, namespace, name);
  await until('it is there again', async () => (await inCluster())?.holderIdentity === 'one');
  assert.is(one.lost, 0);
});

test('a leader whose Lease someone gives to another steps down', async () => {
  const one = standForElection('one');
  await until('one leads', () => one.lease.held());
  await stand.direct.client.apply(LEASES, {
    metadata: { namespace, name },
    spec: { holderIdentity: 'stranger', leaseDurationSeconds: 2 },
  });
  await until('it has stepped down', () => one.lost === 1);
  await until('it leads again once the stranger has been silent', () => one.lease.held());
});

test('of eight candidates exactly one leads', async () => {
  for (let index = 0; index < 8; index++) standForElection(`candidate-${index}`, stand.direct, PATIENT);
  await until('one leads', () => candidates.some(({ lease }) => lease.held()));
  for (let round = 0; round < 100; round++) {
    assert.is(candidates.filter(({ lease }) => lease.held()).length, 1);
    await pause(20);
  }
});

test.run();
