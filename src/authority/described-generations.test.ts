/** Which CA generations the status has room for. */
import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW } from '../../test/pki/make.ts';
import { generation, one } from '../../test/unit/planned-rotation.ts';
import type { CAGeneration } from '../api/generated/types.ts';
import type { Generation, LivingState } from '../rotation/generation.ts';
import { describeGenerations } from './rotation-status.ts';

const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
console.log(`# SEED=${seed}`);
/** The schema takes no more. */
const ROOM = 20;
const COMING: readonly LivingState[] = ['Pending', 'Prepared', 'Trusted'];

function described(living: readonly Generation[], before: readonly CAGeneration[]): readonly CAGeneration[] {
  const plan = { next: undefined, hold: undefined, waitingFor: [], leftBehind: [] };
  const findings = { generations: living, signing: undefined, plan, certificates: new Map(), requests: [] };
  return describeGenerations({ ...findings, source: 'secret', isElsewhere: false }, before, NOW).generations ?? [];
}

const states = fc.constantFrom<LivingState>(...COMING, 'Retiring', 'RolledBack');

test('the one that signs, all in use and the newest version stay in status, however many come and go', () => {
  fc.assert(
    fc.property(fc.array(states, { minLength: 25, maxLength: 60 }), fc.nat({ max: ROOM - 2 }), (coming, kept) => {
      const signing = generation(1, 'Active', one);
      let reported: readonly CAGeneration[] = described([signing], []);
      for (const [index] of coming.entries()) {
        const first = Math.max(0, index - kept);
        const others = coming.slice(first, index + 1).map((state, at) => generation(first + at + 2, state, one));
        const living = [signing, ...others];
        reported = described(living, reported);
        const versions = reported.map(({ version }) => version);
        assert.equal(
          versions,
          [...new Set(versions)].sort((a, b) => b - a),
        );
        assert.ok(versions.length <= ROOM);
        for (const { version } of living) assert.ok(versions.includes(version), `${version} of ${versions}`);
      }
      // The last one is replaced before it signs: its version is not given again.
      assert.is(described([signing], reported)[0]?.version, coming.length + 1);
    }),
    { seed, numRuns: 100 },
  );
});

test('of too many in use the newest and the one that signs stay in status', () => {
  const living = [generation(1, 'Active', one)];
  for (let version = 2; version <= 2 * ROOM; version++) living.push(generation(version, 'Retiring', one));
  const versions = described(living, []).map(({ version }) => version);
  assert.is(versions.length, ROOM);
  assert.equal([versions[0], versions.at(-1)], [2 * ROOM, 1]);
});

test.run();
