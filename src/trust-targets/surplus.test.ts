import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { bundle, first, owner, stored } from '../../test/unit/trust-target.ts';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { EventText } from '../certificate/status/events.ts';
import { ApiError } from '../errors.ts';
import { markOf } from './judge.ts';
import type { TargetsDeps } from './reconcile.ts';
import { TargetResults } from './results.ts';
import { removeSurplus } from './surplus.ts';

const NOW = new Date('2026-01-02T00:00:00Z');
const nothing = () => {};
const { signal } = new AbortController();

test('an object of no target that can not be deleted is an event once for each reason, and is tried again', async () => {
  const view = stored(bundle(first), NOW);
  const events: EventText[] = [];
  const lines: string[] = [];
  let answer: ApiError | undefined = new ApiError(403, 'Forbidden', 'no deletes here', { resource: 'configmaps' });
  const deps = {
    access: {
      remove: async () => {
        if (answer !== undefined) throw answer;
      },
    },
    clock: new FakeClock(NOW),
    labelled: () => [view],
    log: { debug: nothing, info: nothing, warn: (line: string) => void lines.push(line), error: nothing },
    metrics: { targetWritten: nothing },
    ownership: { assert: nothing },
    recordEvent: (_resource: unknown, event: EventText) => void events.push(event),
    results: new TargetResults(),
  } as unknown as TargetsDeps;
  const remove = () => removeSurplus(owner as unknown as CertificateAuthority, [], new Set(), deps, signal);
  for (let times = 0; times < 3; times++) assert.ok(await remove());
  assert.equal([events.length, lines.length], [1, 1]);
  assert.is(events[0]?.reason, 'TrustTargetRefused');
  assert.match(
    events[0]?.note ?? '',
    "ConfigMap shop/client-ca is of no target any more, goes on to trust the CA certificates that it holds, and can't be deleted: no deletes here",
  );
  answer = new ApiError(503, 'Unavailable', 'later');
  await remove();
  assert.is(events.length, 1, 'an API server that is away is no event');
  answer = undefined;
  assert.is(await remove(), undefined);
  answer = new ApiError(403, 'Forbidden', 'no deletes here', { resource: 'configmaps' });
  await remove();
  assert.is(events.length, 2);
});

/** Objects of no target, and a look that deletes them; `deleting` is called before each deletion. */
function surplus(names: readonly string[], deleting: (name: string) => void, until = signal) {
  const view = stored(bundle(first), NOW);
  const { namespace } = view;
  const place = { left: names.map((name) => ({ ...view, name, mark: markOf(owner as never, { namespace, name }) })) };
  const clock = new FakeClock(NOW);
  const deps = {
    access: {
      remove: async ({ name }: { name: string }) => {
        deleting(name);
        place.left = place.left.filter((each) => each.name !== name);
      },
    },
    clock,
    labelled: () => place.left,
    log: { info: nothing, warn: nothing },
    metrics: { targetWritten: nothing },
    ownership: { assert: nothing },
    recordEvent: nothing,
    results: new TargetResults(),
  } as unknown as TargetsDeps;
  const look = () => removeSurplus(owner as unknown as CertificateAuthority, [], new Set(), deps, until);
  return { place, clock, look };
}

test('objects that can not be deleted do not block the deletion of others', async () => {
  const names = Array.from({ length: 70 }, (_, index) => `${index < 55 ? 'stuck' : 'free'}-${index}`);
  const { place, look } = surplus(names, (name) => {
    if (name.startsWith('stuck')) throw new ApiError(403, 'Forbidden', 'no deletes here', { resource: 'configmaps' });
  });
  for (let count = 0; count < 2; count++) await look();
  assert.is(place.left.length, 55);
});

test('many objects of no target are deleted in several looks, and none once the process ends', async () => {
  const names = Array.from({ length: 120 }, (_, index) => `left-${index}`);
  const stop = new AbortController();
  let removed = 0;
  const deleting = () => {
    if (++removed === 102) stop.abort();
  };
  const { place, clock, look } = surplus(names, deleting, stop.signal);
  assert.equal(await look(), clock.now());
  assert.is(place.left.length, 70);
  assert.equal(await look(), clock.now());
  await look();
  assert.is(place.left.length, 18);
});

test.run();
