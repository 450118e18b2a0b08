import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, pairOf, renewedRoot, root, signIntermediate } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import {
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
import type { CaPair } from '../pki/ca.ts';
import { endOf, signingGeneration, withoutFuture } from './generation.ts';
import type { Member } from './plan-types.ts';

test('the first CA signs at once', () => {
  assert.is(step([], one), 'create Active');
});

test("a second CA is prepared, and doesn't sign", () => {
  assert.is(step([generation(1, 'Active', one)], two), 'create Pending');
});

test('a CA that follows an expired one waits for its trust where certificates of the fallback are held', () => {
  const held = member('a', three, 'other');
  const given = { now: later, further: [three] };
  const expired = generation(1, 'Active', gone);
  assert.is(step([expired], two, [held], given), 'create Pending');
  const prepared = [expired, generation(2, 'Prepared', two)];
  assert.equal(plan(prepared, two, [held], given).waitingFor, ['a']);
  const ended = member('a', three, 'other', hoursFromNow(1));
  assert.is(step(prepared, two, [ended], given), '2 -> Active');
  assert.is(step([expired], two, [{ ...held, wantedHash: 'another' }], given), 'create Active', 'of a primary');
});

test('a CA that follows an expired one signs at once', () => {
  assert.is(step([generation(1, 'Active', gone)], two, [], { now: later }), 'create Active');
  const prepared = [generation(1, 'Active', gone), generation(2, 'Prepared', two)];
  const expired = member('a', gone, 'other', hoursFromNow(1));
  assert.is(step(prepared, two, [expired], { now: later }), '2 -> Active');
});

test('without a source that can be read, all stays as it is', () => {
  assert.is(step([], undefined), 'settle');
  assert.is(step([generation(1, 'Active', one), generation(2, 'Prepared', two)], undefined), 'settle');
  assert.is(step([generation(1, 'Retiring', one), generation(2, 'Active', two)], undefined), 'settle');
});

test('a rotation settles with one generation that is the wanted one', () => {
  const { step: planned, waitingFor } = plan([generation(1, 'Active', one)], one, [member('a', one)]);
  assert.equal(planned, { do: 'settle', recheckAt: undefined });
  assert.equal(waitingFor, []);
});

const from = (source: string, ...each: Parameters<typeof generation>) => ({ ...generation(...each), source });

test('a generation that another type of authority brought signs no more, and leaves when its last certificate has', () => {
  const former = from('selfManaged', 1, 'Active', one);
  const holder = member('ns/a', one, 'bundle');
  assert.is(step([former], two, [holder]), '1 -> Retiring');
  const leaving = from('selfManaged', 1, 'Retiring', one);
  assert.is(step([leaving], two, [holder]), 'create Pending', 'the new one waits until it is trusted');
  const both = [leaving, generation(2, 'Prepared', two)];
  assert.is(step(both, two, [member('ns/a', one, 'old')]), 'settle');
  const waited = { clearSince: new Map([['move 2', hoursFromNow(-1)]]) };
  assert.is(step(both, two, [holder], waited), '2 -> Trusted');
  const signs = [leaving, generation(2, 'Active', two)];
  assert.is(step(signs, two, [holder]), 'settle');
  assert.is(step(signs, two, []), 'retire 1');
});

test('after a change to a machine that decides which CA signs the former CA retires by the same rules', () => {
  const elsewhere = { source: 'stepCA', stated: undefined };
  const holder = member('ns/a', one, 'bundle');
  assert.is(step([from('secret', 1, 'Active', one)], undefined, [holder], elsewhere), '1 -> Retiring');
  const leaving = [from('secret', 1, 'Retiring', one)];
  assert.is(step(leaving, undefined, [holder], elsewhere), 'settle');
  const renewed = member('ns/a', two, 'bundle');
  assert.is(step(leaving, undefined, [renewed], elsewhere), 'note 1', 'time to load it');
  const waited = { ...elsewhere, clearSince: new Map([['retire 1', hoursFromNow(-1)]]) };
  assert.is(step(leaving, undefined, [renewed], waited), 'retire 1');
  assert.is(step([from('secret', 1, 'Prepared', one)], undefined, [holder], elsewhere), 'retire 1');
});

test('a root that was renewed under its key and never signed stays as long as certificates of the key are in use', () => {
  const renewed = pairOf(renewedRoot(holder, { notAfter: hoursFromNow(2_000) }));
  const all = [generation(1, 'Retiring', one), generation(2, 'Prepared', renewed), generation(3, 'Active', two)];
  // Of two certificates of one key in ca.crt, a leaf reads as issued by the one that lives longest.
  const held = member('ns/a', renewed, 'bundle');
  const signed = { ...held, anchorFingerprints: [one, renewed].map(({ anchor }) => anchor.fingerprintSHA256) };
  assert.is(step(all, two, [signed]), 'settle');
  assert.equal(plan(all, two, [signed]).waitingFor, ['ns/a']);
  const reissued = { clearSince: new Map([['retire 1', hoursFromNow(-1)]]) };
  assert.is(step(all, two, [member('ns/a', two)], reissued), 'retire 1');
  assert.is(step(all.slice(1), two, [member('ns/a', two)]), 'retire 2');
});

test('a certificate that reads as issued by a root that is gone counts for the root with the same key', () => {
  const renewed = pairOf(renewedRoot(holder, { notAfter: hoursFromNow(2_000) }));
  const all = [generation(1, 'Active', one), generation(2, 'Prepared', two)];
  // Its ca.crt still holds a root that was renewed and swapped back.
  const held = {
    ...member('ns/a', renewed, 'old'),
    anchorFingerprints: [one, renewed].map(({ anchor }) => anchor.fingerprintSHA256),
  };
  assert.is(step(all, two, [held]), 'settle');
  assert.equal(plan(all, two, [held]).waitingFor, ['ns/a']);
});

test('a moment ahead counts from the creation of the Secret and is written anew, or from now where that lies ahead too', () => {
  const created = hoursFromNow(-5);
  const ahead = aGeneration(1, 'Active', one, { since: hoursFromNow(720), created });
  const read = withoutFuture(ahead, NOW);
  assert.equal([read.since, read.mark, read.preparedAt], [created, 'partial', undefined]);
  assert.is(step([read], one, [member('a', one)]), 'mark 1');
  const madeAhead = withoutFuture({ ...ahead, created: hoursFromNow(710) }, NOW);
  assert.equal(madeAhead.since, NOW);
  assert.is(step([madeAhead], one, [member('a', one)]), 'settle');
  const successor = generation(2, 'Active', two, hoursFromNow(-1));
  assert.is(signingGeneration([read, successor], NOW), successor);
  const soon = generation(1, 'Active', one, new Date(NOW.getTime() + 30_000));
  assert.is(withoutFuture(soon, NOW), soon, 'the clock of another replica');
  assert.is(signingGeneration([soon, successor], NOW), successor);
  assert.is(signingGeneration([soon], NOW), soon);
});

test('a generation without its mark gets it before any step of the rotation', () => {
  const adopted = aGeneration(2, 'Active', two, { mark: 'none' });
  assert.is(step([generation(1, 'Retiring', one), adopted], two), 'mark 2');
  assert.is(step([adopted], undefined), 'mark 2', 'though its source is away');
});

test('a generation that has lost its mark belongs to the authority as it is', () => {
  assert.is(step([from('', 1, 'Active', one)], one, [member('ns/a', one)]), 'settle');
});

test('of two that are active, the one that became it last signs, and the other retires', () => {
  const both = [generation(1, 'Active', one, hoursFromNow(-5)), generation(2, 'Active', two, hoursFromNow(-1))];
  assert.is(signingGeneration(both, NOW)?.version, 2);
  assert.is(step(both, two), '1 -> Retiring');
  const back = [generation(1, 'Active', one, hoursFromNow(-1)), generation(2, 'Active', two, hoursFromNow(-5))];
  assert.is(signingGeneration(back, NOW)?.version, 1);
  assert.is(step(back, one), '2 -> Retiring');
  const tie = [generation(1, 'Active', one, NOW), generation(2, 'Active', two, NOW)];
  assert.is(signingGeneration(tie, NOW)?.version, 2);
});

test('a CA that was prepared and is no longer wanted goes at once', () => {
  assert.is(step(spreading, one, [member('a', one)]), 'retire 2');
});

test('on the way back, the former CA signs again only after the wait', () => {
  const { step: planned } = plan(reissuing, one, [member('a', one), member('b', two)]);
  assert.is(planned.do, 'note');
  const since = { clearSince: new Map([['move 1', NOW]]), now: new Date(NOW.getTime() + PROPAGATION_MS) };
  assert.is(step(reissuing, one, [member('a', one), member('b', two)], since), '1 -> Active');
});

test('the wait of a CA on its way back does not count when it is to leave after all', () => {
  const members = [member('a', two)];
  const clearSince = new Map([['move 1', NOW]]);
  const later = new Date(NOW.getTime() + PROPAGATION_MS);
  assert.is(step(reissuing, two, members, { clearSince, now: later }), 'note 1');
});

test('a third CA in the middle of a swap takes the place of one that never signed, and is prepared beside one that did', () => {
  assert.is(step(spreading, three), 'retire 2');
  assert.is(step(reissuing, three), 'create Pending');
  const all = [...reissuing, generation(3, 'Prepared', three)];
  const since = { clearSince: new Map([['move 3', NOW]]), now: new Date(NOW.getTime() + PROPAGATION_MS) };
  assert.is(step(all, three, [member('a', one)], since), '3 -> Trusted');
});

test('a CA whose mark was lost goes on signing while its certificates are about', () => {
  const damaged = [generation(1, 'Retiring', one), generation(2, 'Prepared', two)];
  assert.is(step(damaged, two, [member('a', one)]), '1 -> Active');
  assert.is(step(damaged, undefined, [member('a', one)]), '1 -> Active', 'though its source is away');
  assert.is(step([generation(1, 'Retiring', one)], two, [member('a', one)]), '1 -> Active');
  assert.is(step(damaged, two, [member('a', one, 'bundle', hoursFromNow(-1))]), '2 -> Active', 'nobody uses it');
  assert.is(step([generation(1, 'Retiring', one)], one, [member('a', one)]), '1 -> Active');
});

test('of two that lost their marks and have the same key, the one whose root the members have goes on signing', async () => {
  const [top, other] = [await root({ commonName: 'Top' }), await root({ commonName: 'Other' })];
  const below = await signIntermediate(top);
  const [former, next] = [pairOf(below, top), pairOf(below, other)];
  const lost = [generation(1, 'Retiring', one), generation(2, 'Retiring', former), generation(3, 'Retiring', next)];
  const members = [member('a', one), member('b', former), member('c', former)];
  assert.is(step(lost, undefined, members), '2 -> Active');
  const prepared: Member = {
    ...member('d', former),
    anchorFingerprints: [former.anchor.fingerprintSHA256, next.anchor.fingerprintSHA256],
  };
  assert.is(step(lost, undefined, [...members, prepared]), '2 -> Active', 'one of them has both');
});

test('the old certificate of a CA that was renewed with its key retires without a re-issue', async () => {
  const again = await signedAgain();
  const both = [generation(1, 'Retiring', one), generation(2, 'Active', again)];
  assert.equal(plan(both, again, [member('a', one)]).waitingFor, []);
});

test('a generation that is there twice leaves once', () => {
  const twice = [generation(1, 'Active', one, hoursFromNow(-2)), generation(2, 'Active', one, hoursFromNow(-1))];
  assert.is(step(twice, one, [member('a', one)]), '1 -> Retiring');
  const next = [generation(1, 'Retiring', one), generation(2, 'Active', one)];
  const since = { clearSince: new Map([['retire 1', NOW]]), now: new Date(NOW.getTime() + PROPAGATION_MS) };
  assert.is(step(next, one, [member('a', one)], since), 'retire 1');
});

test('another root above the same certificate is spread, signs, and the former root leaves with the last that needs it', async () => {
  const [top, other] = [await root({ commonName: 'Top' }), await root({ commonName: 'Other' })];
  const below = await signIntermediate(top);
  const [former, next] = [pairOf(below, top), pairOf(below, other)];
  const both = (key: string): Member => ({
    ...member(key, former),
    anchorFingerprints: [former.anchor.fingerprintSHA256, next.anchor.fingerprintSHA256],
  });
  const [active, prepared] = [generation(1, 'Active', former), generation(2, 'Prepared', next)];
  assert.is(step([active], next, [member('a', former)]), 'create Pending');
  const opened = (name: string) => ({
    clearSince: new Map([[name, NOW]]),
    now: new Date(NOW.getTime() + PROPAGATION_MS),
  });
  assert.is(step([active, prepared], next, [both('a')], opened('move 2')), '2 -> Trusted');
  const leaving = [generation(1, 'Retiring', former), generation(2, 'Active', next)];
  assert.is(step(leaving, next, [both('a'), member('b', former)]), 'settle');
  assert.is(step(leaving, next, [both('a'), both('b')], opened('retire 1')), 'retire 1');
});

test('where several generations leave, the plan is made again at the first end of a certificate of any of them', () => {
  const leaving = [generation(1, 'Retiring', one), generation(2, 'Retiring', two), generation(3, 'Active', three)];
  const [first, second] = [member('a', one, 'bundle', hoursFromNow(24)), member('b', two, 'bundle', hoursFromNow(5))];
  const planned = plan(leaving, three, [first, second]);
  assert.equal(planned.step, { do: 'settle', recheckAt: hoursFromNow(5) });
  assert.is(planned.next?.generation.version, 1);
});

test('a generation that is needed again leaves by a new gate, though another one is in use for longer', () => {
  const leaving = [generation(1, 'Retiring', one), generation(2, 'Retiring', two), generation(3, 'Active', three)];
  const first = member('a', one, 'bundle', hoursFromNow(24));
  const second = member('b', two, 'bundle', hoursFromNow(5));
  const clearSince = new Map([['retire 2', hoursFromNow(-1)]]);
  const { step: planned } = plan(leaving, three, [first, second], { clearSince });
  assert.equal(planned.do === 'note' && [planned.generation.version, planned.generation.gate], [2, undefined]);
  assert.is(step(leaving, three, [first, second]), 'settle');
});

test('a CA ends with the first of those above it', async () => {
  const short = await root({ notAfter: hoursFromNow(10) });
  const below = await signIntermediate(short, { notAfter: hoursFromNow(100) });
  const pair = pairOf(below, short);
  assert.equal(endOf(pair), hoursFromNow(10));
  const active = generation(1, 'Active', pair, NOW);
  assert.is(signingGeneration([active], new Date(hoursFromNow(10).getTime() - 1)), active);
  assert.is(signingGeneration([active], hoursFromNow(10)), undefined);
  assert.is(signingGeneration([generation(1, 'Retiring', one)], NOW), undefined);
});

/** `one` with another certificate over the same key and name, good for longer. */
function signedAgain(): CaPair {
  return pairOf(renewedRoot(holder, { notBefore: NOW, notAfter: hoursFromNow(2_000) }));
}

test('a chain that ended without its root leaves once the root stands above it, while its certificates still lead there', async () => {
  const top = await root({ commonName: 'top' });
  const below = await signIntermediate(top);
  const [partial, whole] = [pairOf(below), pairOf(below, top)];
  const generations = [generation(1, 'Retiring', partial), generation(2, 'Active', whole)];
  const clearSince = new Map([['retire 1', hoursFromNow(-1)]]);
  const anchorFingerprints = [partial, whole].map(({ anchor }) => anchor.fingerprintSHA256);
  assert.is(step(generations, whole, [{ ...member('ns/a', partial), anchorFingerprints }], { clearSince }), 'retire 1');
});

test.run();
