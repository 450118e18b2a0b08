/** What one run of an authority does to the outside, and in which order. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { AuthorityWorld, another, elsewhere, KEY, SECRET, stored } from '../../test/unit/authority-world.ts';
import { after, DAY, MINUTE } from '../../test/unit/builders.ts';
import { refusal } from '../../test/unit/certificate-world.ts';
import { ROLLBACK_CA_ANNOTATION } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import { AuthorityError, classify, RetryableError } from '../errors.ts';

interface Case {
  readonly raw?: RawObject;
  readonly isRemote?: boolean;
  before?(world: AuthorityWorld): void | Promise<void>;
  readonly lines: readonly string[];
  /** The conditions Ready, Stalled and Rotating after it. */
  readonly conditions: readonly (string | undefined)[];
  /** The outcome, or the code of the error; a number stands for a moment at most so many milliseconds ahead. */
  readonly outcome: 'again' | 'rest' | 'rest until' | number | { readonly fails: string };
}

const NONE = [undefined, undefined, undefined];
const CREATED = ['leading', 'blank v1', 'create v1 Active', 'event CAGenerationCreated'];
const settled = (change: (world: AuthorityWorld) => void | Promise<void> = () => {}) => ({
  before: async (world: AuthorityWorld) => {
    await world.settle();
    await change(world);
  },
});
const missing = new AuthorityError('CASecretNotFound', 'there is no Secret pair');
const away = new AuthorityError('AuthorityUnreachable', 'connection refused');

const CASES: Readonly<Record<string, Case>> = {
  'a new authority: its CA is stored before certificates and people learn of it': {
    lines: [...CREATED, 'woken', 'shown ready', 'status'],
    conditions: ['True Verified'],
    outcome: 'again',
  },
  'an authority that is well': {
    ...settled(),
    lines: ['shown ready'],
    conditions: ['True Verified'],
    outcome: 'rest until',
  },
  'another pair: it is trusted before it signs': {
    ...settled((world) => {
      world.wanted = another;
    }),
    lines: [...['leading', 'blank v2', 'create v2 Pending', 'event CAGenerationCreated'], ...['shown ready', 'status']],
    conditions: ['True Verified', undefined, 'True SpreadingTrust'],
    outcome: 'again',
  },
  'a source that cannot be read: the CA that there is goes on': {
    ...settled(({ journal }) => journal.refuse('read source', missing)),
    lines: ['shown ready', 'status', 'event CASecretNotFound'],
    conditions: ['True Verified', 'True CASecretNotFound'],
    outcome: 1_200,
  },
  'a source that cannot be read, and no CA': {
    before: ({ journal }) => journal.refuse('read source', missing),
    lines: ['woken', 'shown not ready', 'status', 'event CASecretNotFound'],
    conditions: ['False CASecretNotFound'],
    outcome: 1_200,
  },
  'a source that an unreachable API server keeps: certificates that wait for the first reconcile of the authority learn the reason':
    {
      before: ({ journal }) => journal.refuse('read source', refusal(503)),
      lines: ['woken'],
      conditions: [],
      outcome: { fails: 'ApiServerUnavailable' },
    },
  'the same later: what certificates know stays as it is': {
    ...settled(({ journal }) => journal.refuse('read source', refusal(503))),
    lines: [],
    conditions: ['True Verified'],
    outcome: { fails: 'ApiServerUnavailable' },
  },
  'a role that is missing for a new CA': {
    before: ({ journal }) => journal.refuse('blank v1', refusal(403)),
    lines: ['leading', 'blank v1 refused', 'woken', 'shown not ready', 'status', 'event Forbidden'],
    conditions: ['False Forbidden'],
    outcome: 1_200,
  },
  'a lost race for a new CA': {
    before: ({ journal }) => journal.refuse('create v1 Active', refusal(409)),
    lines: ['leading', 'blank v1', 'create v1 Active refused', 'woken'],
    conditions: [],
    outcome: { fails: 'Conflict' },
  },
  'another replica leads': {
    before: ({ journal }) => journal.refuse('leading', new RetryableError('Conflict', 'another replica leads')),
    lines: ['leading refused', 'woken'],
    conditions: [],
    outcome: { fails: 'Conflict' },
  },
  'a Secret that claims to be a generation: it is reported, and not trusted': {
    ...settled(({ generations }) => generations.plant(aGeneration(2, 'Active', another, { mark: 'none' }))),
    lines: ['shown ready', 'status', 'event ForeignGeneration'],
    conditions: ['True Verified'],
    outcome: 'rest until',
  },
  'an authority on another machine': {
    isRemote: true,
    lines: [
      ...['checked', 'leading', 'blank v1', 'create v1 Active', 'event CAGenerationCreated'],
      ...['woken', 'shown ready', 'status'],
    ],
    conditions: ['True Verified'],
    outcome: 'again',
  },
  'a machine that is away': {
    isRemote: true,
    before: ({ journal }) => journal.refuse('checked', away),
    lines: [
      ...['checked refused', 'leading', 'blank v1', 'create v1 Active', 'event CAGenerationCreated'],
      ...['woken', 'shown not ready', 'status', 'event AuthorityUnreachable'],
    ],
    conditions: ['False AuthorityUnreachable'],
    outcome: 'again',
  },
  'a machine that is away is left alone until its next probe, whatever wakes the authority': {
    isRemote: true,
    before: async (world) => {
      world.journal.refuse('checked', away);
      await world.run();
    },
    lines: ['shown not ready'],
    conditions: ['False AuthorityUnreachable'],
    outcome: 1_200,
  },
  'one that makes no sense under the schema': {
    raw: { ...SECRET, spec: { secret: {} } },
    lines: ['woken', 'shown not ready', 'status'],
    conditions: ['False InvalidSpec', 'True InvalidSpec'],
    outcome: 'rest',
  },
  'one that is gone': {
    ...settled((world) => {
      world.isGone = true;
    }),
    lines: ['woken', 'hidden'],
    conditions: ['True Verified'],
    outcome: 'rest',
  },
};

for (const [what, { before, lines, conditions, outcome, ...options }] of Object.entries(CASES))
  test(what, async () => {
    const world = new AuthorityWorld(options);
    await before?.(world);
    const { length } = world.journal.lines;
    const ended = await world.run();
    assert.equal(world.journal.since(length), lines);
    const told = ['Ready', 'Stalled', 'Rotating'].map((type) => world.condition(type));
    assert.equal(told, [...conditions, ...NONE].slice(0, 3));
    if (ended instanceof Error) {
      assert.equal({ fails: classify(ended).code }, outcome);
      return;
    }
    const at = ended.do === 'rest' ? ended.recheckAt : undefined;
    const inMs = (at?.getTime() ?? 0) - world.clock.now().getTime();
    if (typeof outcome === 'number') assert.ok(inMs > 0 && inMs <= outcome, `in ${inMs} ms`);
    else assert.is(at === undefined ? ended.do : 'rest until', outcome);
    assert.is(world.runtime === undefined, world.isGone || options.raw !== undefined);
    world.told.assertNoKey();
  });

test('the anchors of a CA that Certwheel held stay trusted beside those of a machine, until it is retired', async () => {
  const world = new AuthorityWorld({ isRemote: true });
  world.generations.plant(aGeneration(1, 'Active', stored, { since: after(-DAY) }), ['uid-1']);
  await world.run();
  const anchors = [...(world.deps.registry.get(KEY)?.view?.trust.anchors.keys() ?? [])];
  const known = [elsewhere.certificate.fingerprintSHA256, stored.anchor.fingerprintSHA256];
  assert.equal(anchors.toSorted(), known.toSorted());
  for (let look = 0; look < 8; look++) {
    await world.clock.advance(MINUTE);
    await world.run();
  }
  assert.equal(world.generations.states(), ['v2 Active']);
  const left = [...(world.deps.registry.get(KEY)?.view?.trust.anchors.keys() ?? [])];
  assert.equal(left, [elsewhere.certificate.fingerprintSHA256]);
});

for (const [what, edit] of Object.entries({
  'a pause': { caRotation: { retireAfter: '0s', paused: true } },
  'a roll-back': { annotations: { [ROLLBACK_CA_ANNOTATION]: '2' } },
}))
  for (const [step, nth] of [
    ['write v2 Active', 1],
    ['delete v1', 2],
  ] as const)
    test(`${what} that the watch has not brought yet comes before ${step}`, async () => {
      const world = new AuthorityWorld();
      await world.settle();
      world.wanted = another;
      let reads = 0;
      world.onRead = () => {
        reads++;
        if (reads === nth) world.edit(edit);
      };
      await world.settle();
      assert.ok(reads >= nth);
      assert.not.ok(world.journal.lines.includes(step), world.journal.lines.join(', '));
    });

test.run();
