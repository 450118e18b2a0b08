/** A CA rotation of an authority that is the fallback of another one, and of one that has a fallback. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW } from '../../test/pki/make.ts';
import {
  generation,
  member,
  one,
  plan,
  reissuing,
  spreading,
  step,
  three,
  two,
} from '../../test/unit/planned-rotation.ts';
import { bundleOf } from '../pki/bundle.ts';
import { standbyMembers } from './standby.ts';

// The authority has the CA `three`; its fallback goes from the CA `one` to the CA `two`.
const view = (...pairs: (typeof one)[]) => ({ trust: bundleOf(pairs.map(({ anchor }) => anchor)) });
const both = view(three, one, two);
const stated = [one.anchor, two.anchor];
const own = member('ns/own', three, both.trust.hash);
const loaded = { clearSince: new Map([['move 2', hoursFromNow(-1)]]) };
const ended = { clearSince: new Map([['retire 1', hoursFromNow(-1)]]) };

test('the new CA of a fallback waits until it is in the ca.crt of those whom it may sign for', () => {
  const lacking = standbyMembers([member('ns/own', three, 'former bundle')], both, stated);
  const { hold } = plan(spreading, two, lacking, loaded);
  assert.equal([hold?.reason, hold?.waitingFor], ['MembersLackTrust', ['ns/own']]);
  assert.is(step(spreading, two, standbyMembers([own], both, stated), loaded), '2 -> Trusted');
});

test('while the authority has not taken the new CA of its fallback into its own bundle, no ca.crt is good enough', () => {
  const behind = view(three, one);
  const members = standbyMembers([member('ns/own', three, behind.trust.hash)], behind, stated);
  assert.is(plan(spreading, two, members, loaded).hold?.reason, 'MembersLackTrust');
});

test('an authority that has not been reconciled yet holds up the new CA of its fallback', () => {
  assert.is(plan(spreading, two, standbyMembers([own], undefined, stated), loaded).hold?.reason, 'MembersLackTrust');
});

test('a Secret whose certificate leads to no CA of the authority holds up nothing, whatever its marks say', () => {
  const forged = { ...own, anchorFingerprints: ['some other CA'], trustBundleHash: 'none' };
  assert.equal(standbyMembers([forged], both, stated), []);
});

test('the former CA of a fallback stays while a Secret of the authority holds a certificate of it', () => {
  const held = standbyMembers([member('ns/own', one, both.trust.hash)], both, stated);
  assert.is(plan(reissuing, two, held, ended).hold?.reason, 'CertificatesInUse');
  assert.is(step(reissuing, two, standbyMembers([own], both, stated), ended), 'retire 1');
});

test('a new CA waits for a Secret that holds a certificate of the fallback, whose workload must accept the new CA too', () => {
  const held = member('ns/own', three, 'former bundle');
  assert.is(step(spreading, two, [held], loaded), '2 -> Trusted', 'what an unknown CA signed doesn’t count');
  const { hold } = plan(spreading, two, [held], { ...loaded, further: [three] });
  assert.equal([hold?.reason, hold?.waitingFor], ['MembersLackTrust', ['ns/own']]);
});

test('certificates of the fallback are not counted as those of a generation', () => {
  const generations = [generation(1, 'Retiring', one), generation(2, 'Active', two, NOW)];
  assert.is(step(generations, two, [member('ns/own', three)], { ...ended, further: [three] }), 'retire 1');
});

test.run();
