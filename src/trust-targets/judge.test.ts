import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bundle, first, object, owner, second, stored, stranger, view } from '../../test/unit/trust-target.ts';
import { TRUSTED_SINCE_ANNOTATION } from '../api/names.ts';
import { heldSince, isOurs, judge } from './judge.ts';
import { targetViewer } from './view.ts';

const T1 = new Date('2026-01-02T00:00:00Z');
const T2 = new Date('2026-01-03T00:00:00Z');
const stateOf = (seen: Parameters<typeof judge>[1], of = bundle(first), now = T2) =>
  judge(object, seen, of, owner, now).state;
const since = (seen: Parameters<typeof heldSince>[0], fingerprint = first.fingerprintSHA256, now = T2) =>
  heldSince(seen, owner, fingerprint, now)?.toISOString();

test('what was written holds what it should, and nothing else does', () => {
  const seen = stored(bundle(first), T1);
  assert.is(stateOf(seen), 'holding');
  assert.is(stateOf(undefined), 'write');
  assert.is(stateOf(seen, bundle(first, second)), 'write');
  assert.is(stateOf({ ...seen, hash: 'other' }), 'write');
  assert.is(stateOf({ ...seen, authority: '' }), 'write');
  assert.is(stateOf({ ...seen, since: '' }), 'write', 'since when is unknown');
  assert.is(stateOf({ ...seen, since: seen.since.replaceAll('2026', '2027') }), 'write', 'since a moment to come');
});

test('an object without the mark is foreign, unless it is handed over', () => {
  const plain = view({ metadata: { namespace: 'shop', name: 'client-ca' }, data: { 'ca.crt': first.pem } });
  assert.is(stateOf(plain), 'foreign');
  assert.is(stateOf({ ...plain, adoptBy: 'ca' }), 'write');
  assert.is(stateOf({ ...plain, adoptBy: 'other' }), 'foreign');
  assert.is(stateOf({ ...plain, adoptBy: 'ca', authority: 'ClusterCertificateAuthority/other' }), 'foreign');
  const seen = stored(bundle(first), T1);
  assert.is(stateOf({ ...seen, mark: seen.mark.replace('uid-1', 'uid-2') }), 'foreign', 'of a former authority');
});

test('an object of a former authority says how it can be handed over', () => {
  const other = { ...stored(bundle(first), T1), mark: 'other', authority: 'ClusterCertificateAuthority/other' };
  const finding = judge(object, other, bundle(first), owner, T2);
  assert.match(
    finding.state === 'foreign' ? finding.trouble.message : finding.state,
    'is written by ClusterCertificateAuthority/other; give the target another name, or, if there is no such authority any more, take its label off with: kubectl label configmap -n shop client-ca certwheel.io/trust-target-',
  );
});

test('a copy in another place is not ours', () => {
  const seen = stored(bundle(first), T1);
  assert.is(isOurs(seen, owner), true);
  for (const place of [{ namespace: 'elsewhere' }, { name: 'copy' }])
    assert.is(isOurs({ ...seen, ...place }, owner), false);
});

test('an annotation that is longer than any of ours says nothing', () => {
  const seen = stored(bundle(first), T1);
  const metadata = { namespace: seen.namespace, name: seen.name, uid: 'u', resourceVersion: '1' };
  const annotations = (since: string) => ({ [TRUSTED_SINCE_ANNOTATION]: since });
  const view = (since: string) =>
    targetViewer('ConfigMap')({ metadata: { ...metadata, annotations: annotations(since) } });
  assert.is(view(seen.since).since, seen.since);
  assert.is(view(`${','.repeat(200_000)}${seen.since}`).since, '');
});

test('a certificate keeps the moment since which an object holds it, over every write', () => {
  const one = stored(bundle(first), T1);
  const both = stored(bundle(first, second), T2, one);
  assert.is(since(both), T1.toISOString());
  assert.is(since(both, second.fingerprintSHA256), T2.toISOString());
  assert.is(since(both, stranger.fingerprintSHA256), undefined);
});

test('a certificate that was taken out counts anew from the repair', () => {
  const seen = stored(bundle(first), T1);
  const robbed = { ...seen, held: [stranger.fingerprintSHA256], hash: 'other' };
  assert.is(since(robbed), undefined);
  assert.is(since(stored(bundle(first), T2, robbed)), T2.toISOString());
});

test('no moment before the object was made, and none to come, is believed', () => {
  const seen = stored(bundle(first), T1);
  const early = { ...seen, since: seen.since.replace('2026', '1999') };
  assert.is(since(early), new Date(seen.createdAt).toISOString());
  const late = { ...seen, since: seen.since.replace('2026', '2099') };
  assert.is(since(late), T2.toISOString());
  assert.is(since({ ...seen, since: 'nonsense' }), undefined);
});

test.run();
