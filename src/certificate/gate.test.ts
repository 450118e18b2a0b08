import type { KeyObject } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, anAuthority, anObserved, aSigning } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { Controller, type Outcome } from '../queue/controller.ts';
import { SlowWork } from '../queue/slow-work.ts';
import { Turnstile } from '../queue/turnstile.ts';
import { isAuthority } from './authority-view.ts';
import { gateOf } from './gate.ts';
import type { Observed } from './observed.ts';
import type { NextKey } from './request/next-key.ts';
import { PendingRequests } from './request/pending-requests.ts';

const START = new Date('2026-06-01T12:00:00Z');
const SECOND = 1_000;
const RATE = { requests: 2, perMs: SECOND, burst: 2 };
const ISSUE = { do: 'issue', reason: 'FirstIssue', message: '' } as const;

/** A certificate whose request is under way. */
function waiting(name: string): Observed {
  const seen = anObserved(aCertificate().with({ name, uid: `uid-${name}` })).build();
  if (!isAuthority(seen.authority)) throw new Error('no authority');
  const { namespace, uid } = seen.resource;
  const next: NextKey = {
    namespace,
    name: `${name}-next`,
    uid: `next-${name}`,
    resourceVersion: '1',
    certificateName: name,
    certificateUid: uid,
    authority: 'CertificateAuthority/ca',
    id: `id-${name}`,
    wanted: seen.wanted ?? '',
    ticket: undefined,
    denied: undefined,
    withheld: undefined,
  };
  return seen.with({ next });
}

interface Scene {
  readonly clock: FakeClock;
  readonly asked: { readonly name: string; readonly atMs: number }[];
  /** From now on its answer is looked for, each time so long after the last one. */
  wait(name: string, pollAfterMs: number): void;
  wake(name: string): void;
}

/** Requests that stay pending, behind an authority that may be polled twice in a second. */
function scene(name: string, body: (scene: Scene) => Promise<void>): void {
  test(name, async () => {
    const clock = new FakeClock(START);
    const giveBack = clock.takeTimers();
    const awaited = new PendingRequests();
    const seen = new Map<string, { observed: Observed; pollAfterMs: number }>();
    const asked: { name: string; atMs: number }[] = [];
    const polls = new Turnstile({ capacity: 16, rate: RATE }, clock, (key) => {
      controller.queue.addFirst(key);
      return true;
    });
    const slowWork = new SlowWork(1, clock, () => true);
    const runtime = () => ({ backend: {} as never, turnstile: undefined, polls });
    const controller = new Controller({
      name: 'certificates',
      workers: 4,
      clock,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      metrics: { ran() {} },
      reconcile: async (key): Promise<Outcome> => {
        const { observed, pollAfterMs } = seen.get(key) ?? {};
        if (observed?.next === undefined || pollAfterMs === undefined) return { do: 'rest' };
        const gate = gateOf(observed, ISSUE, undefined, { runtime, awaited, clock, slowWork });
        if (gate === undefined) return { do: 'rest' };
        if (!gate.enter(key)) return { do: 'rest' };
        asked.push({ name: observed.resource.name, atMs: clock.now().getTime() - START.getTime() });
        const answer = { ticket: 'T', pollAfterMs, message: '' };
        const askedAtMs = clock.monotonicMs();
        const pending = { answer, askedAtMs, askAtMs: askedAtMs + pollAfterMs };
        awaited.keep({ next: observed.next, key: {} as KeyObject, pending });
        gate.leave();
        return { do: 'rest', recheckAt: clock.in(pollAfterMs) };
      },
    });
    const keyOf = (each: string) => `team/${each}`;
    try {
      controller.start();
      await body({
        clock,
        asked,
        wait: (each, pollAfterMs) => {
          seen.set(keyOf(each), { observed: waiting(each), pollAfterMs });
          controller.queue.add(keyOf(each));
        },
        wake: (each) => controller.queue.add(keyOf(each)),
      });
      const stopped = controller.stop(0);
      await clock.advance(SECOND);
      await stopped;
    } finally {
      polls.close();
      giveBack();
    }
  });
}

scene('however many requests wait for an answer, it is looked for as often as the rate allows', async (one) => {
  const COUNT = 300;
  for (let n = 0; n < COUNT; n++) one.wait(`old-${n}`, 60 * SECOND);
  await one.clock.advance(300 * SECOND);
  for (const { atMs: from } of one.asked) {
    const within = one.asked.filter(({ atMs }) => atMs >= from && atMs < from + SECOND).length;
    assert.ok(within <= RATE.burst + RATE.requests, `${within} in one second`);
  }
  assert.ok(one.asked.length > 590, `${one.asked.length} looks: the rate is used`);
  const looks = new Map<string, number>();
  for (const { name } of one.asked) looks.set(name, (looks.get(name) ?? 0) + 1);
  assert.is(looks.size, COUNT);
  assert.ok(Math.max(...looks.values()) <= Math.min(...looks.values()) + 1, 'each as often as the others');
});

scene('a young request does not wait behind all the old ones', async (one) => {
  for (let n = 0; n < 300; n++) one.wait(`old-${n}`, 60 * SECOND);
  await one.clock.advance(200 * SECOND);
  one.asked.length = 0;
  // The first poll has just been made, as after a new request.
  one.wait('young', 2 * SECOND);
  await one.clock.advance(300 * SECOND);
  const [, second, third] = one.asked.filter(({ name }) => name === 'young').map(({ atMs }) => atMs);
  assert.ok((third ?? Number.POSITIVE_INFINITY) - (second ?? 0) < 5 * SECOND, `${third} after ${second}`);
});

scene('a certificate that is woken before its poll takes no poll from the others', async (one) => {
  for (const name of ['a', 'b']) one.wait(name, 60 * SECOND);
  await one.clock.advance(10 * SECOND);
  for (let n = 0; n < 50; n++) {
    one.wake('a');
    await one.clock.advance(10);
  }
  one.wait('c', 60 * SECOND);
  one.wait('d', 60 * SECOND);
  await one.clock.advance(10);
  assert.equal(
    one.asked.map(({ name }) => name),
    ['a', 'b', 'c', 'd'],
  );
});

test('a new request passes the turnstile for new requests, whatever waits for answers', () => {
  const clock = new FakeClock(START);
  const calls: string[] = [];
  const named = (name: string) =>
    ({
      enter: (key: string, deadline: number) => Boolean(calls.push(`${name} ${key} ${deadline}`)),
      leave: () => calls.push(`${name} left`),
    }) as unknown as Turnstile;
  const runtime = () => ({ backend: {} as never, turnstile: named('new'), polls: named('polls') });
  const deps = { runtime, awaited: new PendingRequests(), clock, slowWork: named('slow work') as unknown as SlowWork };
  const fresh = waiting('a').with({ next: undefined });
  const gate = gateOf(fresh, ISSUE, 7, deps);
  assert.ok(gate?.enter('team/a'));
  gate?.leave();
  gateOf(waiting('b'), ISSUE, 7, deps)?.enter('team/b');
  assert.equal(calls, ['new team/a 7', 'new left', 'polls team/b undefined']);
  assert.is(gateOf(fresh, { do: 'settle' } as never, 7, deps), undefined);
});

test('keys and signatures that take long pass a turnstile where the authority has none', () => {
  const clock = new FakeClock(START);
  const slowWork = new SlowWork(1, clock, () => true);
  const deps = { awaited: new PendingRequests(), clock, slowWork };
  const own = { ...deps, runtime: () => ({ backend: {} as never, turnstile: undefined, polls: undefined }) };
  const seenWith = (algorithm: string) => anObserved(aCertificate({ privateKey: { algorithm } })).build();
  assert.is(gateOf(seenWith('RSA'), ISSUE, 7, own)?.enter('team/a'), true);
  assert.is(gateOf(seenWith('RSA'), ISSUE, 7, own)?.enter('team/b'), false);
  assert.is(gateOf(seenWith('ECDSA'), ISSUE, 7, own), undefined);
  const slowCa = seenWith('ECDSA').with({ authority: anAuthority({ signing: aSigning({ isSlow: true }) }) });
  assert.is(gateOf(slowCa, ISSUE, 7, own)?.enter('team/b'), false, 'a signature that takes long');
  assert.ok(gateOf(slowCa, ISSUE, 7, own)?.admitsSlowWork);
  const turnstile = new Turnstile({ capacity: 1 }, clock, () => true);
  const remote = { ...deps, runtime: () => ({ backend: {} as never, turnstile, polls: undefined }) };
  const itsOwn = gateOf(seenWith('RSA'), ISSUE, 7, remote);
  assert.is(itsOwn?.enter('team/b'), true, 'its own one');
  assert.not(itsOwn?.admitsSlowWork, 'the key waits for its turn behind it');
});

test.run();
