/** Which findings go into the status of an authority, which into an event, and when nothing is written. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aGeneration, generationSecret } from '../../test/unit/a-generation.ts';
import {
  AuthorityWorld,
  another,
  authorityOf,
  elsewhere,
  KEY,
  SECRET,
  stored,
} from '../../test/unit/authority-world.ts';
import { after, HOUR, SECOND } from '../../test/unit/builders.ts';
import { refusal } from '../../test/unit/certificate-world.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import type { BrokenCertificateAuthority } from '../api/certificate-authority.ts';
import { Buckets } from '../queue/bucket.ts';
import { endOf } from '../rotation/generation.ts';
import type { CaLife } from './deps.ts';
import { report, reportBroken } from './report.ts';
import type { Runtime } from './runtime.ts';

type Seen = Parameters<typeof report>[2];

const down = { code: 'AuthorityUnreachable', message: 'connection refused' } as const;
const busy = { code: 'AuthorityUnreachable', message: 'no route to host' } as const;
const refused = { code: 'CAPairRefused', message: 'it is no CA' } as const;
const outside = (version: number) => generationSecret(aGeneration(version, 'Active', another, { mark: 'none' }));

/** A forecast of so many issuances a day, of a hundred that are to be had. */
function demandOf(perDay: number): Pick<Seen, 'demand'> {
  const costs = [{ durationMs: HOUR, certificates: 1, perDay, example: 'ns/client' }];
  return { demand: { certificates: 1, perDay, costs, quota: { perDay: 100, from: 'Quota' } } };
}

const WELL: Seen = {
  trusted: [stored.anchor],
  trouble: undefined,
  refused: undefined,
  leftAside: [],
  plan: { next: undefined, hold: undefined, waitingFor: [], leftBehind: [] },
  certificates: new Map(),
  requests: [],
  foreign: [],
  nextProbeAt: undefined,
  demand: { certificates: 0, perDay: 0, costs: [], quota: undefined },
};

/** An authority that signs with the stored pair, or one whose CA is elsewhere. */
async function scene(isRemote = false) {
  const world = new AuthorityWorld({ isRemote });
  await world.settle().catch(() => undefined);
  const runtime = world.runtime as Runtime;
  const lives: (CaLife | undefined)[] = [];
  const logged: string[] = [];
  const line = (message: string) => void logged.push(message);
  const deps = {
    ...world.deps,
    log: { debug: line, info: line, warn: line, error: line },
    metrics: {
      ...world.deps.metrics,
      show: (...shown: Parameters<typeof world.deps.metrics.show>) => {
        lives.push(shown[2]);
        world.deps.metrics.show(...shown);
      },
    },
  };
  const tell = (findings: Partial<Seen>, using = deps) =>
    report(authorityOf(world), runtime, { ...WELL, ...findings }, using);
  return { world, tell, deps, lives, logged };
}

interface Case {
  /** What was reported before, and what is found now. */
  readonly before?: Partial<Seen>;
  readonly now: Partial<Seen>;
  readonly lines: readonly string[];
  readonly logged?: readonly string[];
}

const SHOWN = 'shown ready';
const CASES: Readonly<Record<string, Case>> = {
  'nothing new': { now: {}, lines: [SHOWN] },
  'a trouble that begins': {
    now: { trouble: down },
    lines: ['shown not ready', 'status', 'event AuthorityUnreachable'],
    logged: ['authority in trouble'],
  },
  'the same trouble': { before: { trouble: down }, now: { trouble: down }, lines: ['shown not ready'] },
  'the same trouble with another next probe': {
    before: { trouble: down },
    now: { trouble: down, nextProbeAt: after(SECOND) },
    lines: ['shown not ready', 'status'],
  },
  'a trouble that turns into another': {
    before: { trouble: down },
    now: { trouble: busy },
    lines: ['shown not ready', 'status', 'event AuthorityUnreachable'],
    logged: ['authority in trouble'],
  },
  'a trouble that ends': {
    before: { trouble: down },
    now: {},
    lines: [SHOWN, 'status'],
    logged: ['authority ready'],
  },
  'a pair that is refused while the last good one goes on': {
    now: { refused },
    lines: [SHOWN, 'status', 'event CAPairRefused'],
    logged: ['authority in trouble'],
  },
  'a quota that is nearly used up': {
    now: demandOf(90),
    lines: [SHOWN, 'status', 'event NearQuota'],
    logged: ['quota is short'],
  },
  'a quota that is used up by now': {
    before: demandOf(90),
    now: demandOf(110),
    lines: [SHOWN, 'status', 'event OverQuota'],
    logged: ['quota is short'],
  },
  'a quota that is used up less': { before: demandOf(110), now: demandOf(90), lines: [SHOWN, 'status'] },
  'a forecast that is another, and as short': { before: demandOf(90), now: demandOf(91), lines: [SHOWN, 'status'] },
  'a forecast that is another, and enough': { before: demandOf(10), now: demandOf(20), lines: [SHOWN, 'status'] },
  'a generation from outside': {
    now: { foreign: [outside(7)] },
    lines: [SHOWN, 'status', 'event ForeignGeneration'],
    logged: ['CA generation from outside'],
  },
  'another one beside it': {
    before: { foreign: [outside(7)] },
    now: { foreign: [outside(7), outside(8)] },
    lines: [SHOWN, 'status', 'event ForeignGeneration'],
    logged: ['CA generation from outside'],
  },
  'the same ones in another order': {
    before: { foreign: [outside(7), outside(8)] },
    now: { foreign: [outside(8), outside(7)] },
    lines: [SHOWN],
  },
  'a trouble beside a generation that is known': {
    before: { foreign: [outside(7)] },
    now: { foreign: [outside(7)], trouble: down },
    lines: ['shown not ready', 'status', 'event AuthorityUnreachable'],
    logged: ['authority in trouble'],
  },
  'one that was removed': { before: { foreign: [outside(7)] }, now: {}, lines: [SHOWN, 'status'] },
  'all at once': {
    now: { trouble: down, foreign: [outside(7)], ...demandOf(110) },
    lines: [
      ...['shown not ready', 'status', 'event AuthorityUnreachable'],
      ...['event OverQuota', 'event ForeignGeneration'],
    ],
    logged: ['quota is short', 'CA generation from outside', 'authority in trouble'],
  },
};

for (const [what, { before, now, lines, logged: wanted = [] }] of Object.entries(CASES))
  test(`${what}: ${lines.join(', ')}`, async () => {
    const { world, tell, logged } = await scene();
    await tell(before ?? {});
    const { length } = world.journal.lines;
    logged.length = 0;
    assert.is(await tell(now), undefined);
    assert.equal(world.journal.since(length), lines);
    assert.equal(logged, wanted);
    const { length: then } = world.journal.lines;
    await tell(now);
    assert.equal(world.journal.since(then), lines.slice(0, 1), 'and once only');
    world.told.assertNoKey();
  });

test('a status that could not be written causes no event, and causes one when it is written', async () => {
  for (const status of [0, 403, 409, 422, 429, 500]) {
    const { world, tell, logged } = await scene();
    const { length } = world.journal.lines;
    world.journal.refuse('status', refusal(status, 'certificateauthorities'));
    assert.ok((await thrownBy(tell({ trouble: down }))) !== undefined);
    assert.equal(world.journal.since(length), ['shown not ready', 'status refused']);
    assert.equal(logged, []);
    await tell({ trouble: down });
    assert.equal(world.journal.since(length).slice(2), ['shown not ready', 'status', 'event AuthorityUnreachable']);
  }
});

test('a status that is written too often waits, and its event with it', async () => {
  const { world, tell, deps } = await scene();
  const slow = { ...deps, statusWrites: new Buckets({ capacity: 1, refillMs: 2 * SECOND }) };
  await tell({ trouble: down }, slow);
  const { length } = world.journal.lines;
  const laterAt = await tell({ trouble: busy }, slow);
  assert.is((laterAt?.getTime() ?? 0) - world.clock.now().getTime(), 2 * SECOND);
  assert.equal(world.journal.since(length), ['shown not ready']);
  await world.clock.advance(2 * SECOND);
  assert.is(await tell({ trouble: busy }, slow), undefined);
  assert.equal(world.journal.since(length).slice(1), ['shown not ready', 'status', 'event AuthorityUnreachable']);
});

test('the life that is shown is that of the CA that signs, or of the last that a machine has', async () => {
  const own = await scene();
  await own.tell({});
  assert.equal(own.lives, [{ notBefore: stored.certificate.notBefore, notAfter: endOf(stored) }]);
  const remote = await scene(true);
  await remote.tell({ trusted: [elsewhere.certificate] });
  assert.equal(remote.lives[0]?.notAfter, elsewhere.certificate.notAfter);
  await remote.tell({ trusted: [] });
  assert.is(remote.lives[1], undefined);
});

const broken = (change: object = {}, world = new AuthorityWorld({ raw: { ...SECRET, spec: { secret: {} } } })) => ({
  world,
  resource: { ...(world.resource as BrokenCertificateAuthority), ...change },
});

test('one that makes no sense is said to be so once, and nothing is to be expected of it', async () => {
  const { world, resource } = broken();
  const status = { demand: { certificates: 1 }, nextProbeTime: '2026-06-01T12:00:00Z', activeGeneration: 3 };
  await reportBroken({ ...resource, status } as unknown as typeof resource, world.deps);
  assert.equal(world.journal.lines, ['shown not ready', 'status']);
  assert.equal([world.status.demand, world.status.nextProbeTime], [undefined, undefined]);
  assert.is(world.status.activeGeneration, 3, 'what was known of its CA stays');
  assert.equal(await reportBroken(broken({}, world).resource, world.deps), { do: 'rest' });
  assert.equal(world.journal.lines.slice(2), ['shown not ready']);
});

test('a broken authority has no fallback, and no series of one', async () => {
  const { world, resource } = broken();
  const shown: unknown[] = [];
  const metrics = { ...world.deps.metrics, showFallback: (...of: unknown[]) => void shown.push(of.slice(1)) };
  await reportBroken(resource, { ...world.deps, metrics });
  assert.equal(shown, [[undefined, false]]);
});

test('thousands that a namespace has too many of get no series', async () => {
  const { world, resource } = broken({ code: 'NamespaceFull' });
  await reportBroken(resource, world.deps);
  assert.equal(world.journal.lines, ['hidden', 'status']);
});

test('the status of a broken authority waits where it is written too often', async () => {
  const { world, resource } = broken();
  const statusWrites = new Buckets({ capacity: 1, refillMs: 2 * SECOND });
  statusWrites.take(KEY, world.clock.monotonicMs());
  const outcome = await reportBroken(resource, { ...world.deps, statusWrites });
  assert.equal(outcome, { do: 'rest', recheckAt: after(2 * SECOND) });
  assert.equal(world.journal.lines, ['shown not ready']);
});

test.run();
