/** Which certificates hold up a step of a CA rotation, and for how long. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOUR, hoursFromNow, NOW, pairOf, renewedRoot } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import {
  DEADLINE_MS,
  generation,
  gone,
  holder,
  later,
  member,
  one,
  PROPAGATION_MS,
  plan,
  reissuing,
  spreading,
  step,
  three,
  two,
} from '../../test/unit/planned-rotation.ts';

test('a certificate that has expired, or a Secret that holds none, keeps nothing waiting', () => {
  const expired = member('ns/expired', one, 'old', hoursFromNow(-1));
  const empty = { ...member('ns/empty', one, 'old'), notAfter: undefined };
  assert.is(step(spreading, two, [expired, empty]), '2 -> Trusted');
  assert.is(step(reissuing, two, [expired, empty]), 'retire 1');
});

test('more certificates than a call takes arguments hold up a step, and all of them are named', () => {
  const many = Array.from({ length: 200_000 }, (_, index) => member(`ns/held-${index}`, one, 'old'));
  assert.is(plan(spreading, two, many).waitingFor.length, many.length);
  assert.is(plan(reissuing, two, many).waitingFor.length, many.length);
  const late = { now: hoursFromNow(25) };
  const living = many.map((each) => ({ ...each, notAfter: hoursFromNow(48) }));
  assert.is(plan(spreading, two, living, late).leftBehind.length, many.length);
});

test('a certificate that ends after everything that a leaving CA can have signed delays its retirement no longer, and is named', () => {
  const since = hoursFromNow(-30);
  const leaving = [
    aGeneration(1, 'Retiring', one, { since, created: hoursFromNow(-900) }),
    generation(2, 'Active', two, since),
  ];
  const forged = member('Secret ns/forged', one, 'bundle', hoursFromNow(20));
  const longestLifeMs = 40 * HOUR;
  const before = plan(leaving, two, [forged], { longestLifeMs });
  assert.equal(before.step, { do: 'settle', recheckAt: hoursFromNow(10) });
  assert.equal([before.waitingFor, before.leftBehind], [['Secret ns/forged'], []]);
  const after = plan(leaving, two, [forged], { longestLifeMs, now: hoursFromNow(10) });
  assert.equal([after.waitingFor, after.leftBehind], [[], ['Secret ns/forged']]);
  const clearSince = new Map([['retire 1', hoursFromNow(10)]]);
  assert.is(step(leaving, two, [forged], { longestLifeMs, now: hoursFromNow(11), clearSince }), 'retire 1');
  assert.is(step(leaving, two, [forged], { now: hoursFromNow(19) }), 'settle', 'without a limit');
});

test('a certificate that ends after the CA that signed it counts until the end of that CA, also without a limit', () => {
  const leaving = [generation(1, 'Retiring', gone), generation(2, 'Active', two)];
  const forged = member('Secret ns/forged', gone, 'bundle', hoursFromNow(400_000));
  assert.equal(plan(leaving, two, [forged]).step, { do: 'settle', recheckAt: hoursFromNow(1) });
  assert.equal(plan(leaving, two, [forged], { now: later }).leftBehind, ['Secret ns/forged']);
});

test('a certificate that is known from status alone holds up a step, and brings no CA back', () => {
  const told = { ...member('ns/told', one), trustBundleHash: '', fromStatus: true } as const;
  assert.equal(plan(reissuing, two, [told]).waitingFor, ['ns/told']);
  assert.equal(plan(spreading, two, [told]).waitingFor, ['ns/told']);
  const damaged = [generation(1, 'Retiring', one), generation(2, 'Retiring', two)];
  assert.is(step(damaged, two, [member('ns/held', one)]), '1 -> Active');
  assert.is.not(step(damaged, two, [told]), '1 -> Active');
});

test('a CA whose annotations were damaged leaves no earlier than what was signed until its successor came', () => {
  const damaged = aGeneration(1, 'Retiring', one, { since: hoursFromNow(-900), created: hoursFromNow(-900) });
  const leaving = [damaged, generation(2, 'Active', two, hoursFromNow(-1))];
  const held = member('ns/held', one, 'bundle', hoursFromNow(20));
  assert.equal(plan(leaving, two, [held], { longestLifeMs: 24 * HOUR }).waitingFor, ['ns/held']);
});

test('a certificate that a leaving CA can not have signed does not delay the next CA either', () => {
  const since = hoursFromNow(-50);
  const generations = [
    aGeneration(1, 'Retiring', one, { since, created: hoursFromNow(-900) }),
    generation(2, 'Active', two, since),
    generation(3, 'Prepared', three, NOW),
  ];
  const forged = member('Secret ns/forged', one, 'old', hoursFromNow(20));
  assert.equal(plan(generations, three, [forged]).waitingFor, ['Secret ns/forged']);
  assert.equal(plan(generations, three, [forged], { longestLifeMs: 40 * HOUR }).waitingFor, []);
});

test('a member that can not be written delays a new CA until the deadline, and is named', () => {
  const stuck = member('ns/stuck', one, 'old', hoursFromNow(1_000));
  const since = hoursFromNow(0);
  const prepared = [generation(1, 'Active', one), generation(2, 'Prepared', two, since)];
  const before = plan(prepared, two, [stuck]);
  assert.equal(before.step, { do: 'settle', recheckAt: new Date(since.getTime() + DEADLINE_MS) });
  const late = new Date(since.getTime() + DEADLINE_MS);
  const after = plan(prepared, two, [stuck], { now: late });
  assert.equal([after.waitingFor, after.leftBehind], [[], ['ns/stuck']]);
  const clearSince = new Map([['move 2', late]]);
  const loaded = new Date(late.getTime() + PROPAGATION_MS);
  assert.is(
    step(prepared, two, [stuck], { now: loaded, clearSince }),
    '2 -> Trusted',
    'the others had time to load it',
  );
  // Its certificate is still good, so what it was signed by goes on being trusted.
  assert.is(step(reissuing, two, [stuck], { now: late }), 'settle');
});

test('the members that block a step are named in one order, whatever the order in which they are known', () => {
  const blocking = ['c', 'a', 'b'].map((key) => member(key, one, 'old'));
  assert.equal(plan(spreading, two, blocking).waitingFor, ['a', 'b', 'c']);
});

test('the new CA waits for every ca.crt, and says for whose', () => {
  const members = [member('ns/a', one, 'old'), member('ns/b', one)];
  const { step: planned, waitingFor } = plan(spreading, two, members);
  assert.equal(planned, { do: 'settle', recheckAt: hoursFromNow(2 - 10 + 24) }, 'the deadline');
  assert.equal(waitingFor, ['ns/a']);
  const again = plan(spreading, two, members, { clearSince: new Map([['move 2', hoursFromNow(-1)]]) });
  assert.equal(again.step, { do: 'note', generation: spreading[1] }, 'the wait begins anew');
});

test('once all have it, the new CA waits as long as workloads take to load it', () => {
  const first = plan(spreading, two, [member('a', one)]);
  const opensAt = new Date(NOW.getTime() + PROPAGATION_MS);
  assert.equal(first.step, { do: 'note', generation: { ...spreading[1], gate: { to: 'Trusted', since: NOW } } });
  const clearSince = new Map([['move 2', NOW]]);
  assert.equal(plan(spreading, two, [member('a', one)], { clearSince }).step, { do: 'settle', recheckAt: opensAt });
  const members = [member('a', one)];
  const justBefore = new Date(opensAt.getTime() - 1);
  assert.is(step(spreading, two, members, { clearSince, now: justBefore }), 'settle');
  assert.is(step(spreading, two, members, { clearSince, now: opensAt }), '2 -> Trusted');
});

test('without certificates no step waits', () => {
  assert.is(step(spreading, two), '2 -> Trusted');
  assert.is(step(reissuing, two), 'retire 1');
});

test('the old CA waits for its last valid certificate, then as long as workloads take', () => {
  const { step: planned, waitingFor } = plan(reissuing, two, [member('ns/a', one), member('ns/b', two)]);
  assert.equal(waitingFor, ['ns/a']);
  assert.equal(planned, { do: 'settle', recheckAt: hoursFromNow(24) }, 'checked again when that one has expired');
  const clear = plan(reissuing, two, [member('ns/b', two), member('ns/c', one, 'bundle', hoursFromNow(-1))]);
  assert.equal(clear.step, { do: 'note', generation: { ...reissuing[0], gate: { to: 'Retired', since: NOW } } });
  const clearSince = new Map([['retire 1', NOW]]);
  const opensAt = new Date(NOW.getTime() + PROPAGATION_MS);
  assert.is(step(reissuing, two, [member('b', two)], { clearSince, now: opensAt }), 'retire 1');
});

test('a certificate of a CA that was renewed under its key, and whose Secret never got the renewed one, keeps that in trust', () => {
  const renewed = pairOf(renewedRoot(holder, { notAfter: hoursFromNow(2_000) }));
  // The first certificate of the CA has left; then the CA was replaced.
  const all = [generation(2, 'Retiring', renewed), generation(3, 'Active', two)];
  const unwritable = member('ns/a', one, 'old');
  assert.is(step(all, two, [unwritable]), 'settle');
  assert.equal(plan(all, two, [unwritable]).waitingFor, ['ns/a']);
});

test('a CA that lost the moment at which it left is kept for all that it may have signed since its creation', () => {
  const created = hoursFromNow(-2);
  const damaged = aGeneration(2, 'Retiring', two, { since: created, created });
  // It signed in between, and signing came back to the first.
  const all = [generation(1, 'Active', one), damaged];
  const longestLifeMs = HOUR;
  assert.equal(plan(all, one, [member('ns/a', two)], { longestLifeMs }).waitingFor, ['ns/a']);
  const ended = member('ns/a', two, 'bundle', hoursFromNow(-1));
  const waited = { longestLifeMs, clearSince: new Map([['retire 2', hoursFromNow(-1)]]) };
  assert.is(step(all, one, [ended], waited), 'retire 2');
});

test.run();
