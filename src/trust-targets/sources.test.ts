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
const read = (content: string | undefined, lastGood?: Awaited<ReturnType<typeof readTrustSource>>) =>
  readTrustSource(
    source,
    'ns',
    async () => (content === undefined ? undefined : { 'ca.pem': Buffer.from(content) }),
    lastGood,
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

test.run();
