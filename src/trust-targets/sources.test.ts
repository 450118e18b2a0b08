import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, leaf, NOW, root, signIntermediate } from '../../test/pki/make.ts';
import { incomplete, nextEnd, readTrustSource, sourceStatus, trustedBy } from './sources.ts';

const early = await root({ commonName: 'Early', notAfter: hoursFromNow(1) });
const late = await root({ commonName: 'Late', notAfter: hoursFromNow(1000) });
const below = await signIntermediate(late, { commonName: 'Below' });
const client = await leaf(late);
const text = [early, late, late, below].map(({ certificate }) => certificate.pem).join('') + client.certificate.pem;

const source = { name: 'partner', configMap: { name: 'bundle', key: 'ca.pem' } };
const read = (content: string | undefined, lastGood?: Awaited<ReturnType<typeof readTrustSource>>, now = NOW) =>
  readTrustSource(
    source,
    'ns',
    async () => (content === undefined ? undefined : { 'ca.pem': Buffer.from(content) }),
    lastGood,
    now,
  );
const names = (list: ReturnType<typeof trustedBy>) => list.map(({ subjectText }) => subjectText);

test('CA certificates count once, and what is no CA is left out with the reason', async () => {
  const found = await read(text);
  assert.is(trustedBy([found], NOW).length, 3);
  const status = sourceStatus(found, NOW);
  assert.is(status.certificates, 3);
  assert.is(status.leftOut?.length, 1);
  assert.match(status.leftOut?.[0] ?? '', 'is not a CA');
  assert.is(status.reason, undefined);
});

test('a certificate that has expired goes, and the moment of it is known before', async () => {
  const found = await read(text);
  assert.equal(nextEnd([found], NOW), early.certificate.notAfter);
  const later = hoursFromNow(2);
  assert.is(
    names(trustedBy([found], later)).some((name) => name.includes('Early')),
    false,
  );
  assert.match(sourceStatus(found, later).leftOut?.join() ?? '', /Early.* expired at /);
});

test('a source that cannot be read keeps what it said before, and says nothing where that is unknown', async () => {
  const good = await read(text);
  for (const [content, reason] of [
    [undefined, 'TrustBundleNotFound'],
    ['no PEM', 'TrustBundleRefused'],
    [client.certificate.pem, 'TrustBundleRefused'],
  ] as const) {
    const kept = await read(content, good);
    assert.is(kept.certificates, good.certificates);
    assert.is(sourceStatus(kept, NOW).reason, reason);
    assert.is(incomplete([kept]), undefined);
    const unknown = await read(content);
    assert.is(incomplete([good, unknown])?.code, reason);
  }
});

test('certificates that have all expired take no valid one out, and end where they have been the last', async () => {
  const [valid, expiring] = [await read(late.certificate.pem), await read(early.certificate.pem)];
  const later = hoursFromNow(2);
  const kept = await read(early.certificate.pem, valid, later);
  assert.equal(names(trustedBy([kept], later)), names(trustedBy([valid], later)));
  const status = sourceStatus(kept, later);
  assert.is(status.reason, 'TrustBundleRefused');
  assert.match(status.message ?? '', 'all of its CA certificates have expired, and the former ones stay in force');
  for (const ended of [
    await read(early.certificate.pem, expiring, later),
    await read(early.certificate.pem, undefined, later),
  ]) {
    assert.is(sourceStatus(ended, later).reason, undefined);
    assert.match(sourceStatus(ended, later).leftOut?.join() ?? '', /Early.* expired at /);
    assert.is(incomplete([ended]), undefined, 'the CA of the authority goes on');
  }
});

test('what is kept of names that a partner chooses is as much as status shows', async () => {
  const named = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      leaf(late, { subject: { organizations: Array(80).fill(`${index}${'x'.repeat(60)}`) } }),
    ),
  );
  const clients = named.map(({ certificate }) => certificate.pem).join('');
  const { refused } = await read(clients + late.certificate.pem);
  assert.is(refused.length, 5);
  const { trouble } = await read(clients);
  for (const each of [...refused, trouble?.message ?? '']) assert.ok(each.length <= 1_024, `${each.length}`);
});

test.run();
