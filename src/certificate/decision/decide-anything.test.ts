import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { arbitraryMoment, arbitraryObserved } from '../../../test/unit/arbitrary-observed.ts';
import { anAuthority } from '../../../test/unit/builders.ts';
import { ALLOWED } from '../../policy/permission.ts';
import { type AuthorityView, isAuthority } from '../authority-view.ts';
import { type Decision, isAdoptable, isOurs, type Observed } from '../observed.ts';
import { decide } from './decide.ts';

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

/** Checks each decision of these kinds. Fails where there are so few that the check says nothing. */
function checkEach<Do extends Decision['do']>(
  kinds: readonly Do[],
  check: (decision: Extract<Decision, { do: Do }>, seen: Observed) => void,
): void {
  let checked = 0;
  const isOf = (decision: Decision): decision is Extract<Decision, { do: Do }> =>
    (kinds as readonly string[]).includes(decision.do);
  fc.assert(
    fc.property(...anything, (seen, now) => {
      const decision = decide(seen, now);
      if (!isOf(decision)) return;
      checked += 1;
      check(decision, seen);
    }),
    OFTEN,
  );
  assert.ok(checked > OFTEN.numRuns / 50, `${checked} of ${OFTEN.numRuns} decisions are to ${kinds.join(' or ')}`);
}

test('no decision writes a Secret that is neither ours nor handed over', () => {
  checkEach(['issue', 'repair'], (decision, seen) => {
    assert.ok(seen.secret === undefined || isOurs(seen) || isAdoptable(seen));
    assert.is(seen.rival, undefined);
    // A good certificate goes on being trusted, whatever keeps the next one from being issued.
    if (decision.do === 'repair' && decision.message === 'the trust bundle has changed' && isOurs(seen)) return;
    assert.not(seen.resource.spec.suspended);
  });
});

test('nothing is issued without an authority that is ready', () => {
  checkEach(['issue'], (decision, { authority, fallback }) => {
    assert.ok(isAuthority(authority));
    assert.is(decision.byFallback === true, authority.trouble !== undefined);
    if (decision.byFallback === true) isReadyFallback(fallback, authority);
  });
});

test('a fallback issues nothing unless it is ready, permits it, and is trusted already', () => {
  const trouble = { code: 'AuthorityUnreachable', message: 'no answer' } as const;
  const { trust } = anAuthority();
  let issued = 0;
  fc.assert(
    fc.property(...anything, (seen, now) => {
      const { authority, fallback } = seen;
      if (!isAuthority(authority)) return;
      const inTrouble = { ...authority, trust, trouble };
      const decision = decide(seen.with({ authority: inTrouble, permission: ALLOWED }), now);
      if (decision.do !== 'issue') return;
      issued += 1;
      assert.is(decision.byFallback, true);
      isReadyFallback(fallback, inTrouble);
    }),
    // Few of all scenes have a fallback that may issue.
    { numRuns: 4 * OFTEN.numRuns },
  );
  assert.ok(issued > 5, `${issued} are issued`);
});

function isReadyFallback(fallback: Observed['fallback'], { trust }: AuthorityView): void {
  assert.ok(fallback !== undefined && isAuthority(fallback.authority));
  assert.is(fallback.authority.trouble, undefined);
  assert.is(fallback.permission.is, 'allowed');
  const { anchors } = fallback.authority.trust;
  assert.ok(anchors.size > 0 && [...anchors.keys()].every((each) => trust.anchors.has(each)));
}

test('nothing is issued that the rules of its authority do not allow', () => {
  checkEach(['issue'], (_decision, { permission }) => {
    assert.is(permission.is, 'allowed');
  });
});

test('a wait without an end is for a change of the authority or of the labels of the namespace, for a place, or for a request of the client', () => {
  checkEach(['wait'], (decision, { authority, permission }) => {
    if (decision.recheckAt !== undefined) return;
    // What is there to read is watched.
    if (decision.code === 'CSRUnusable' || decision.code === 'NewCSRNeeded') return;
    const waitsForAuthority = typeof authority === 'string' || authority.trouble !== undefined;
    assert.ok(waitsForAuthority || permission.is === 'pending' || permission.is === 'full', decision.code);
  });
});

test.run();
