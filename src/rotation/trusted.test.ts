/** What verifiers must accept, and of which CA certificates may be published. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { after, DAY, NOW } from '../../test/unit/builders.ts';
import { one, two } from '../../test/unit/planned-rotation.ts';
import type { Trust } from '../backends/backend.ts';
import { caPath } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { Generation } from './generation.ts';
import { anchorsToFollow, followedAnchors, leavingAnchors, trustedNow, usableAnchors } from './trusted.ts';

const given = (await root({ commonName: 'given' })).certificate;
const [first, second] = [one.anchor, two.anchor];
const at = (version: number, state: Generation['state'], anchor: CertificateView, since = NOW) =>
  aGeneration(version, state, caPath([anchor]), { source: 'stepCA', since });

const ELSEWHERE = {};
const CHOSEN = { choosesCA: true };
const OWN = { keyPair: () => Promise.reject(new Error('not asked')) };

function known(
  backend: object,
  generations: readonly Generation[],
  trusted: Partial<Trust> = {},
  stated: readonly CertificateView[] = [],
) {
  const definition = { type: 'stepCA' };
  return { backend, definition, generations, trusted: { anchors: [], intermediates: [], ...trusted }, stated };
}

const names = (certificates: readonly CertificateView[] = []) =>
  certificates.map(({ subjectText }) => subjectText).sort();
const subjects = (...certificates: CertificateView[]) => names(certificates);

test('a generation that is not Pending is trusted until it is retired, beside what the backend says', () => {
  const generations = [at(1, 'Retiring', first), at(2, 'Pending', second)];
  assert.equal(names(trustedNow(known(OWN, generations))), subjects(first));
  assert.equal(names(trustedNow(known(ELSEWHERE, generations, { anchors: [second] }))), subjects(first, second));
  const offered = { ref: 'id', path: two };
  assert.equal(names(trustedNow(known(CHOSEN, generations, { anchors: [given], offered }))), subjects(first, given));
});

test('until a machine has said what to trust, nothing is', () => {
  const generations = [at(1, 'Active', first)];
  for (const backend of [ELSEWHERE, CHOSEN]) assert.equal(trustedNow(known(backend, generations)), []);
  const withAnswers = known(ELSEWHERE, generations, { isStatedWithAnswers: true });
  assert.equal(names(trustedNow(withAnswers)), subjects(first), 'which says it with each certificate');
});

test('each anchor of a machine that decides which CA signs is followed, unless they are a collection', () => {
  assert.equal(names(anchorsToFollow(known(ELSEWHERE, [], { anchors: [first, second] }))), subjects(first, second));
  const many = Array.from({ length: 17 }, () => first);
  assert.is(anchorsToFollow(known(ELSEWHERE, [], { anchors: many })), undefined);
  assert.is(usableAnchors(known(ELSEWHERE, [at(1, 'Active', first)], { anchors: many })), undefined);
  for (const backend of [OWN, CHOSEN]) assert.is(anchorsToFollow(known(backend, [], { anchors: [first] })), undefined);
  const withAnswers = known(ELSEWHERE, [], { isStatedWithAnswers: true }, [second]);
  assert.equal(names(anchorsToFollow(withAnswers)), subjects(second));
});

test('of an anchor that is not Active yet nothing is published, unless there is no other', () => {
  const fingerprints = (...certificates: CertificateView[]) =>
    new Set(certificates.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  const coming = [at(1, 'Active', first), at(2, 'Trusted', second)];
  assert.equal(usableAnchors(known(ELSEWHERE, coming)), fingerprints(first));
  assert.equal(
    usableAnchors(known(ELSEWHERE, [at(1, 'Retiring', first), at(2, 'Active', second)])),
    fingerprints(first, second),
  );
  assert.is(usableAnchors(known(ELSEWHERE, [at(1, 'Pending', first)])), undefined);
  for (const backend of [OWN, CHOSEN]) assert.is(usableAnchors(known(backend, coming)), undefined);
});

test('what a machine states with each certificate is what the generations say until the first one', () => {
  const isStatedWithAnswers = true;
  const generations = [at(1, 'Active', first), at(2, 'Prepared', second), at(3, 'Retiring', given)];
  const restarted = known(ELSEWHERE, generations, { isStatedWithAnswers });
  assert.equal(names(anchorsToFollow(restarted)), subjects(first, second));
  assert.equal(names(anchorsToFollow({ ...restarted, stated: [second] })), subjects(second));
  assert.is(anchorsToFollow({ ...restarted, definition: { type: 'acme' } }), undefined, 'of another backend');
});

test('what is stated and what is a generation is followed', () => {
  const fingerprints = (...certificates: CertificateView[]) =>
    new Set(certificates.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  const pending = [at(1, 'Active', first), at(2, 'Pending', second)];
  assert.equal(followedAnchors(known(ELSEWHERE, pending, { anchors: [first] })), fingerprints(first, second));
  assert.equal(followedAnchors(known(ELSEWHERE, [], { anchors: [given] })), fingerprints(given));
  assert.is(followedAnchors(known(ELSEWHERE, pending)), undefined, 'not known yet');
  for (const backend of [OWN, CHOSEN])
    assert.is(followedAnchors(known(backend, pending, { anchors: [first] })), undefined);
});

test('certificates of an anchor that leaves are re-issued, as soon as there is another', () => {
  const leaving = at(1, 'Retiring', first, after(-DAY));
  const both = known(ELSEWHERE, [leaving, at(2, 'Active', second)]);
  assert.equal(leavingAnchors(both), { anchors: new Set([first.fingerprintSHA256]), since: leaving.since });
  assert.is(leavingAnchors(known(ELSEWHERE, [leaving, at(2, 'Prepared', second)])), undefined);
  assert.is(leavingAnchors(known(CHOSEN, both.generations)), undefined);
});

test.run();
