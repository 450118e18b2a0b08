import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, root } from '../../../test/pki/make.ts';
import { aCertificate, after, HOUR, MINUTE, NOW } from '../../../test/unit/builders.ts';
import { type UnpublishedCertificate, UnpublishedCertificates } from './unpublished.ts';

const resource = aCertificate({ duration: '1h' }).with({ uid: 'u1', generation: 3 }).build();
const ca = await root();
const client = await leaf(ca, { notBefore: NOW, notAfter: after(HOUR) });
const minute = await leaf(ca, { notBefore: NOW, notAfter: after(MINUTE) });
const made: UnpublishedCertificate = { issued: { chain: [client.certificate] }, key: client.key, issuedAt: NOW };

test('an unpublished certificate is returned once', () => {
  const unpublished = new UnpublishedCertificates();
  unpublished.keep(resource, 'one', made);
  assert.is(unpublished.take(resource, 'one', after(1_000))?.key, made.key);
  assert.is(unpublished.take(resource, 'one', after(1_000)), undefined);
});

test('not to another spec, nor to another resource', () => {
  const unpublished = new UnpublishedCertificates();
  unpublished.keep(resource, 'one', made);
  assert.is(unpublished.take({ ...resource, uid: 'u2' }, 'one', NOW), undefined);
  assert.is(unpublished.take({ ...resource, generation: 4 }, 'one', NOW), undefined);
});

test('not to another authority, such as the first one after its fallback', () => {
  const unpublished = new UnpublishedCertificates();
  unpublished.keep(resource, 'one', made);
  assert.is(unpublished.take(resource, 'another', NOW), undefined);
});

test('not after a minute, nor before it was issued by a clock that was set back', () => {
  for (const ms of [60_000, -1]) {
    const unpublished = new UnpublishedCertificates();
    unpublished.keep(resource, 'one', made);
    assert.is(unpublished.take(resource, 'one', after(ms)), undefined);
  }
});

test('not when it is due itself, as one of a short life soon is', () => {
  const short = aCertificate({ duration: '1m', renewBefore: '50s' }).with({ uid: 'u1', generation: 3 }).build();
  for (const [ms, isTaken] of [
    [5_000, true],
    [20_000, false],
  ] as const) {
    const unpublished = new UnpublishedCertificates();
    unpublished.keep(short, 'one', { ...made, issued: { chain: [minute.certificate] } });
    assert.is(unpublished.take(short, 'one', after(ms)) !== undefined, isTaken, `${ms} ms`);
  }
});

test('not when it is due by what was asked for, however long it was granted', () => {
  const unpublished = new UnpublishedCertificates();
  const short = aCertificate({ duration: '1m' }).with({ uid: 'u1', generation: 3 }).build();
  unpublished.keep(short, 'one', made);
  assert.is(unpublished.take(short, 'one', after(50_000)), undefined);
});

test('not when it was dropped', () => {
  const unpublished = new UnpublishedCertificates();
  unpublished.keep(resource, 'one', made);
  unpublished.drop('team/client');
  assert.is(unpublished.take(resource, 'one', NOW), undefined);
});

test.run();
