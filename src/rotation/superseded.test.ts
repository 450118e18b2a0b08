/** Sources whose CA changes faster than a CA rotation ends, by accident or to fill every ca.crt. */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, pairOf, root } from '../../test/pki/make.ts';
import { aGeneration, generationSecret } from '../../test/unit/a-generation.ts';
import { member, TERMS } from '../../test/unit/planned-rotation.ts';
import { type CaPair, caPath } from '../pki/ca.ts';
import { afterMove } from './after-step.ts';
import { type Generation, mayHaveSigned, withoutFuture } from './generation.ts';
import { generationManifest } from './generation-manifest.ts';
import { viewGenerationSecret } from './generation-secret.ts';
import { planRotation } from './plan.ts';
import { planAnchors } from './plan-anchors.ts';
import type { RotationTerms } from './plan-types.ts';
import { readGenerations } from './read-generations.ts';
import { MOST_IN_USE } from './superseded.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);

const MINUTE = 60_000;
const notAfter = hoursFromNow(20_000);
const cas: readonly CaPair[] = await Promise.all(
  Array.from({ length: 90 }, async (_, index) => pairOf(await root({ commonName: `CA ${index}`, notAfter }))),
);
const [first] = cas as readonly [CaPair];
/** A certificate of the first CA that nothing re-issues. */
const MEMBERS = [member('ns/a', first, 'bundle', notAfter)];
const MOST_STEPS = 12;

interface Course {
  readonly isElsewhere: boolean;
  readonly terms: Partial<RotationTerms>;
  /** Minutes between two changes of the CA. */
  readonly every: number;
  /** How many CAs another machine states at once. */
  readonly atOnce: number;
}

/** Plays the source through all CAs; calls `check` after each change. */
function play({ isElsewhere, terms, every, atOnce }: Course, check: (generations: readonly Generation[]) => void) {
  let generations: readonly Generation[] = [];
  let versions = 0;
  for (let change = 0; change * atOnce < cas.length; change++) {
    const now = new Date(NOW.getTime() + change * every * MINUTE);
    const given = cas.slice(change * atOnce, (change + 1) * atOnce);
    const paths = isElsewhere ? given.map(({ anchor }) => caPath([anchor])) : given.slice(0, 1);
    for (let step = 0; step < MOST_STEPS * atOnce; step++) {
      const known = new Set(generations.map(({ path }) => path.id));
      const candidate = isElsewhere ? paths.find(({ id }) => !known.has(id)) : paths[0];
      const rotation = {
        generations,
        source: 'secret',
        stated: isElsewhere ? new Set(paths.map(({ id }) => id)) : undefined,
        wanted: candidate?.id,
        members: MEMBERS,
        trustBundleHash: 'bundle',
        terms: { ...TERMS, retireAfterMs: 24 * 60 * MINUTE, ...terms },
        longestLifeMs: undefined,
        proofs: () => [],
      };
      const next = (isElsewhere ? planAnchors : planRotation)(rotation, now).step;
      if (next.do === 'settle') break;
      if (next.do === 'create' && candidate !== undefined) {
        generations = [...generations, aGeneration(++versions, next.state, candidate, { since: now })];
        continue;
      }
      if (!('generation' in next)) break;
      const others = generations.filter(({ version }) => version !== next.generation.version);
      if (next.do === 'retire') generations = others;
      else generations = [...others, next.do === 'move' ? afterMove(next, now) : next.generation];
    }
    check(generations);
  }
}

const courses = fc.record({
  isElsewhere: fc.boolean(),
  terms: fc.record({
    isManual: fc.boolean(),
    isPaused: fc.boolean(),
    propagationMs: fc.constantFrom(0, 2 * MINUTE, 60 * MINUTE),
    soakMs: fc.constantFrom(0, 60 * MINUTE),
  }),
  every: fc.constantFrom(1, 5, 60, 7 * 24 * 60),
  atOnce: fc.integer({ min: 1, max: 16 }),
});

test('however often its CA changes, an authority keeps few generations, and the one whose certificates are in use', () => {
  fc.assert(
    fc.property(courses, (course) => {
      play(course, (generations) => {
        assert.ok(generations.length <= MOST_IN_USE, `${generations.length} generations`);
        assert.ok(
          generations.some(({ version, state }) => version === 1 && mayHaveSigned({ state })),
          'the first one has left though its certificate is valid',
        );
        const waiting = generations.filter((each) => !mayHaveSigned(each));
        const most = course.isElsewhere ? course.atOnce : 1;
        assert.ok(waiting.length <= most, `${waiting.length} wait to sign, and ${most} may`);
      });
    }),
    { seed, numRuns: 60 },
  );
});

test('a CA that was replaced before it signed leaves though nobody asks for the next step', () => {
  const course = { isElsewhere: false, terms: { isManual: true, propagationMs: 0 }, every: 60, atOnce: 1 };
  let last: readonly Generation[] = [];
  play(course, (generations) => {
    last = generations;
  });
  assert.equal(
    last.map(({ version, state }) => [version, state]),
    [
      [1, 'Active'],
      [cas.length, 'Trusted'],
    ],
  );
});

test('as many generations as may be in use are read, each with its mark', async () => {
  const uidOf = (version: number) => `00000000-0000-4000-8000-${String(version).padStart(12, '0')}`;
  const all = cas.slice(0, MOST_IN_USE).map((each, index) => aGeneration(index + 1, 'Retiring', each));
  const uids = all.map(({ version }) => uidOf(version));
  const stored = all.map((each) => {
    const secret = { ...each.secret, uid: uidOf(each.version) };
    const manifest = generationManifest({ kind: 'CertificateAuthority', name: 'ca' }, each, secret, uids);
    return viewGenerationSecret({ ...manifest, metadata: { ...manifest.metadata } }, 'certwheel-system');
  });
  for (const { mark } of stored) assert.equal(new Set(mark.uids), new Set(uids));
  const listed = all.map((each) => generationSecret(each));
  const { generations, problem } = await readGenerations(listed, NOW);
  assert.is(problem, undefined);
  assert.equal(
    generations,
    all.map((each) => withoutFuture(each, NOW)),
  );
});

test.run();
