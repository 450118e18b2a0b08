import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arbitraryMoment, arbitraryObserved } from '../../../test/unit/arbitrary-observed.ts';
import { isAdoptable, isOurs } from '../observed.ts';
import { decide } from './decide.ts';
import { permissionOf } from './policy.ts';

const anything = [arbitraryObserved, arbitraryMoment] as const;
const OFTEN = { numRuns: 3000 };

test('whatever is seen, the decision is made without an exception and is the same at every look', () => {
  fc.assert(
    fc.property(...anything, (seen, now) => {
      const before = structuredClone({ ...seen, authority: undefined });
      const decision = decide(seen, now);
      assert.equal(decide(seen, now), decision);
      assert.equal(structuredClone({ ...seen, authority: undefined }), before, 'nothing is changed by looking');
    }),
    OFTEN,
  );
});

test('a moment at which to look again is always in the future, or the queue would never rest', () => {
  fc.assert(
    fc.property(...anything, (seen, now) => {
      const decision = decide(seen, now);
      if ('recheckAt' in decision && decision.recheckAt !== undefined) assert.ok(decision.recheckAt > now);
    }),
    OFTEN,
  );
});

test('nothing is ever decided to be written over a Secret that is neither ours nor handed over', () => {
  fc.assert(
    fc.property(...anything, (seen, now) => {
      const decision = decide(seen, now);
      if (decision.do !== 'issue' && decision.do !== 'repair') return;
      assert.ok(seen.secret === undefined || isOurs(seen) || isAdoptable(seen));
      assert.is(seen.rival, undefined);
      // A good certificate goes on being trusted, whatever keeps the next one from being issued.
      if (decision.do === 'repair' && decision.message === 'the trust bundle has changed' && isOurs(seen)) return;
      assert.not(seen.resource.spec.suspended);
    }),
    OFTEN,
  );
});

test('nothing is issued without an authority that is well', () => {
  fc.assert(
    fc.property(...anything, (seen, now) => {
      if (decide(seen, now).do !== 'issue') return;
      assert.ok(typeof seen.authority !== 'string' && seen.authority.trouble === undefined);
    }),
    OFTEN,
  );
});

test('nothing is issued that the rules of its authority do not allow', () => {
  fc.assert(
    fc.property(...anything, (seen, now) => {
      if (decide(seen, now).do !== 'issue') return;
      assert.is(permissionOf(seen.rules, seen.resource.spec.identity).is, 'allowed');
    }),
    OFTEN,
  );
});

test('a wait has an end of its own, or is for something else to change', () => {
  fc.assert(
    fc.property(...anything, (seen, now) => {
      const decision = decide(seen, now);
      if (decision.do !== 'wait' || decision.recheckAt !== undefined) return;
      const waitsForAuthority = typeof seen.authority === 'string' || seen.authority.trouble !== undefined;
      const waitsForLabels = seen.rules?.some(({ serves }) => serves === undefined);
      assert.ok(waitsForAuthority || waitsForLabels, decision.code);
    }),
    OFTEN,
  );
});

test.run();
