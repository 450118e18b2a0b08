import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, MINUTE, NOW, SECOND } from '../../../test/unit/builders.ts';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { keyOf, type RawObject } from '../../api/parse.ts';
import type { ChangeListener } from '../../kube/cache/listeners.ts';
import { Heap } from '../../queue/heap.ts';
import { FollowedSecrets } from './followed-secrets.ts';

const LIMITS = { watches: 10, firstMs: 5 * SECOND, longestMs: 30 * SECOND, apartMs: 50, wakesApartMs: 10 };
/** Waits are spread by a fifth to both sides. */
const JITTER = 1.2;

function named(namespace: string, count: number): ClientCertificate[] {
  const certificate = (index: number) =>
    aCertificate()
      .with({ namespace, name: `client-${index}` })
      .build();
  return Array.from({ length: count }, (_, index) => certificate(index));
}

const occupant = ({ name }: ClientCertificate) => ({ name: `${name}-tls`, dataOnly: false });

/** Foreign Secrets with the names that certificates need. Each certificate is reconciled at the moments of its own schedule alone. */
function scene() {
  let nowMs = NOW.getTime();
  let chance = 0;
  const clock = {
    now: () => new Date(nowMs),
    monotonicMs: () => nowMs,
    // A sequence without a pattern that is the same each time.
    random: () => {
      chance = (chance * 69_069 + 1) % 4_294_967_296;
      return chance / 4_294_967_296;
    },
    sleep: () => Promise.resolve(),
  };
  const watches: string[] = [];
  const looks: { readonly key: string; readonly atMs: number }[] = [];
  const inTheWay = new Map<string, ClientCertificate>();
  const wanted = new Map<string, number>();
  const queue = new Heap<{ readonly key: string; readonly atMs: number }>((one, other) => one.atMs - other.atMs);
  const wake = (key: string, at = clock.now()) => {
    const atMs = Math.min(at.getTime(), wanted.get(key) ?? Number.POSITIVE_INFINITY);
    wanted.set(key, atMs);
    queue.push({ key, atMs });
  };
  const acquire = (_resource: unknown, namespace = '') => {
    watches.push(namespace);
    const release = () => void watches.splice(watches.indexOf(namespace), 1);
    const known = { known: true, problem: undefined, isLeftOut: false, get: () => undefined, release };
    return { ...known, synced: new Promise<void>(() => {}) };
  };
  const foreign = new FollowedSecrets({ references: { acquire }, clock, wake }, LIMITS);
  return {
    /** Reconciles certificates for each of which a foreign Secret exists. */
    occupy: (all: readonly ClientCertificate[]) => {
      for (const each of all) {
        inTheWay.set(keyOf(each), each);
        foreign.follow(each, [occupant(each)]);
      }
    },
    free: (all: readonly ClientCertificate[]) => {
      for (const each of all) {
        inTheWay.delete(keyOf(each));
        foreign.follow(each, []);
      }
    },
    pass: (ms: number) => {
      const endMs = nowMs + ms;
      for (let next = queue.peek(); next !== undefined && next.atMs <= endMs; next = queue.peek()) {
        queue.pop();
        if (wanted.get(next.key) !== next.atMs) continue;
        wanted.delete(next.key);
        nowMs = next.atMs;
        looks.push(next);
        const resource = inTheWay.get(next.key);
        if (resource !== undefined) foreign.follow(resource, [occupant(resource)]);
      }
      nowMs = endMs;
    },
    watchesOf: (namespace: string) => watches.filter((each) => each === namespace).length,
    /** The moments of the last `ms` at which certificates whose keys begin so were reconciled. */
    looksAt: (prefix: string, ms: number) =>
      looks.filter(({ key, atMs }) => key.startsWith(prefix) && atMs > nowMs - ms).map(({ atMs }) => atMs),
  };
}

test('a namespace that has all watches gives up one to a namespace that has none', () => {
  const world = scene();
  world.occupy(named('greedy', 40));
  assert.is(world.watchesOf('greedy'), LIMITS.watches);
  world.occupy(named('late', 1));
  assert.equal([world.watchesOf('greedy'), world.watchesOf('late')], [LIMITS.watches - 1, 1]);
  world.pass(MINUTE);
  assert.ok(world.looksAt('greedy/client-0', MINUTE).length > 0, 'what is not watched any more is read now and then');
  assert.is(world.looksAt('late/', MINUTE).length, 0);
});

test('namespaces that want many watches have as many each, and take none from one another then', () => {
  const world = scene();
  for (const namespace of ['a', 'b', 'c']) world.occupy(named(namespace, 40));
  const share = () => ['a', 'b', 'c'].map(world.watchesOf).sort();
  assert.equal(share(), [3, 3, 4]);
  world.pass(10 * MINUTE);
  assert.equal(share(), [3, 3, 4]);
  world.free(named('a', 40));
  world.pass(10 * MINUTE);
  assert.equal(share(), [0, 5, 5]);
});

test('ten thousand certificates of one namespace do not slow the polls of another', () => {
  const world = scene();
  world.occupy(named('watched', LIMITS.watches));
  world.occupy(named('greedy', 10_000));
  world.occupy(named('modest', 60));
  world.pass(30 * MINUTE);
  const polled = world.looksAt('modest/client-59', 20 * MINUTE);
  const gaps = polled.slice(1).map((atMs, index) => atMs - (polled[index] as number));
  assert.ok(gaps.length > 0 && Math.max(...gaps) <= LIMITS.longestMs * JITTER, `${Math.max(...gaps)} ms`);
  // All together are reconciled no more often than the limit allows.
  const all = world.looksAt('', 20 * MINUTE).length;
  const most = (20 * MINUTE * JITTER) / LIMITS.apartMs;
  assert.ok(all <= most && all > most / 2, `${all} looks`);
});

/** Followers of Secrets whose watches the test moves by hand, and what they wake. */
function watchedByHand(wakesApartMs = LIMITS.wakesApartMs) {
  const woken: { readonly key: string; readonly at: Date | undefined }[] = [];
  const listeners = new Map<string, ChangeListener<RawObject>>();
  const acquire = (_: unknown, namespace = '', name = '', onChange: ChangeListener<RawObject> = () => {}) => {
    listeners.set(`${namespace}/${name}`, onChange);
    const release = () => void listeners.delete(`${namespace}/${name}`);
    const known = { known: true, problem: undefined, isLeftOut: false, get: () => undefined, release };
    return { ...known, synced: new Promise<void>(() => {}) };
  };
  const clock = { now: () => NOW, monotonicMs: () => 0, random: () => 0, sleep: () => Promise.resolve() };
  const wake = (key: string, at?: Date) => woken.push({ key, at });
  const followed = new FollowedSecrets({ references: { acquire }, clock, wake }, { ...LIMITS, wakesApartMs });
  return {
    followed,
    listeners,
    /** The keys that a change of the Secret wakes at once. */
    change: (secret: string, before?: RawObject['data'], after: RawObject['data'] = {}) => {
      woken.length = 0;
      listeners.get(secret)?.(secret, before && { data: before }, { data: after });
      return woken.map(({ key }) => key);
    },
    woken,
  };
}

const password = { name: 'password', dataOnly: true };
const taken = { name: 'taken', dataOnly: false };

test('a certificate follows several Secrets, and each change of one of them wakes it', () => {
  const { followed, listeners, change } = watchedByHand();
  const client = { namespace: 'team', name: 'client' };
  followed.follow(client, [password, taken]);
  assert.equal([change('team/password'), change('team/taken')], [['team/client'], ['team/client']]);
  followed.follow(client, [taken]);
  assert.equal([...listeners.keys()], ['team/taken'], 'the one that is followed no more is released');
  followed.follow({ namespace: 'team', name: 'other' }, [taken]);
  const shared = listeners.get('team/taken');
  assert.equal(change('team/taken'), ['team/client', 'team/other'], 'one watch is for all that follow the Secret');
  followed.forget('team/client');
  assert.is(listeners.get('team/taken'), shared);
  followed.follow({ namespace: 'team', name: 'other' }, []);
  assert.is(listeners.size, 0);
});

test('a change beside the data wakes those that wait for an annotation, and no others', () => {
  const { followed, change } = watchedByHand();
  followed.follow({ namespace: 'team', name: 'store' }, [{ name: 'both', dataOnly: true }]);
  followed.follow({ namespace: 'team', name: 'waits' }, [{ name: 'both', dataOnly: false }]);
  assert.equal(change('team/both', { a: 'eA==' }, { a: 'eA==' }), ['team/waits']);
  assert.equal(change('team/both', { a: 'eA==' }, { a: 'eQ==' }).sort(), ['team/store', 'team/waits']);
  followed.follow({ namespace: 'team', name: 'waits' }, [{ name: 'both', dataOnly: true }]);
  assert.equal(change('team/both', { a: 'eA==' }, { a: 'eA==' }), []);
});

test('a file in a ConfigMap that is no text is a change of its data', () => {
  const { followed, listeners, woken } = watchedByHand();
  followed.follow({ namespace: 'team', name: 'partner' }, [{ name: 'csr', kind: 'ConfigMap', dataOnly: true }]);
  const [[id, told] = []] = [...listeners];
  told?.(`${id}`, { data: {} }, { data: {}, binaryData: { 'client.csr': 'MII=' } });
  assert.equal(
    woken.map(({ key }) => key),
    ['team/partner'],
  );
});

test('a Secret that changes in a loop wakes its many followers one after the other, and each only twice in a walk', async () => {
  const [many, apartMs] = [100, 2];
  const { followed, change, woken } = watchedByHand(apartMs);
  for (let index = 0; index < many; index += 1) followed.follow({ namespace: 'team', name: `c-${index}` }, [password]);
  change('team/password');
  const moments = woken.map(({ at = NOW }) => at.getTime() - NOW.getTime());
  assert.equal([moments.length, moments[0], moments.at(-1)], [many, apartMs, many * apartMs]);
  for (let loop = 0; loop < 1_000; loop += 1) assert.equal(change('team/password', { a: `${loop}` }), []);
  await sleep(many * apartMs * 1.5);
  assert.is(woken.length, many, 'what changed meanwhile wakes each of them once more');
});

test.run();
