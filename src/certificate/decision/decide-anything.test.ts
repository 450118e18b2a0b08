import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arbitraryMoment, arbitraryObserved } from '../../../test/unit/arbitrary-observed.ts';
import { isAdoptable, isOurs } from '../observed.ts';
import { decide } from './decide.ts';
import { judge } from './policy.ts';

const anything = [arbitraryObserved, arbitraryMoment] as const;
const OFTEN = { numRuns: 3000 };

test('decide never throws, and answers the same for the same input', () => {
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

test('the moment of the next reconcile is always in the future, or the queue would never rest', () => {
  fc.assert(
    fc.property(...anything, (seen, now) => {
      const decision = decide(seen, now);
      if ('recheckAt' in decision && decision.recheckAt !== undefined) assert.ok(decision.recheckAt > now);
    }),
    OFTEN,
  );
});

test('no decision writes a Secret that is neither ours nor handed over', () => {
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

test('nothing is issued without an authority that is ready', () => {
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
      assert.is(judge(seen.rules, seen.resource.spec.identity).is, 'allowed');
    }),
    OFTEN,
  );
});

test('a wait without an end is for a change of the authority or of the labels of the namespace', () => {
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
