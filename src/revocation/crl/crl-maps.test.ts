import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow } from '../../../test/pki/make.ts';
import { type CrlPart, crlManifests, joinCrl, readCrlPart } from './crl-maps.ts';

const PLACE = { uid: '11111111-2222-3333-4444-555555555555', version: 3 };
/** Of one object of the API server. */
const MOST_BYTES = 2 ** 20;

function partsOf(der: Buffer, number = 7n): { parts: CrlPart[]; sizes: number[] } {
  const manifests = crlManifests(PLACE, 'ns', { der, number, nextUpdate: hoursFromNow(1), caPem: 'the CA' });
  return {
    parts: manifests.flatMap((each) => readCrlPart(each) ?? []),
    sizes: manifests.map((each) => JSON.stringify(each).length),
  };
}

for (const bytes of [1, 680 * 1024, 680 * 1024 + 1, 5_000_000])
  test(`a CRL of ${bytes} bytes is read again from its ConfigMaps, in any order`, () => {
    const der = randomBytes(bytes);
    const { parts, sizes } = partsOf(der);
    assert.ok(sizes.every((size) => size < MOST_BYTES));
    assert.is(parts.length, sizes.length);
    assert.ok(joinCrl(parts.toReversed())?.equals(der));
    assert.equal(parts[0]?.place, PLACE);
    assert.is(parts[0]?.ca, 'the CA');
  });

test('a CRL of which a part is missing, or is of another CRL, is none', () => {
  const { parts } = partsOf(randomBytes(1_500_000));
  const other = partsOf(randomBytes(1_500_000), 8n).parts;
  assert.is(parts.length, 3);
  for (const missing of [0, 1, 2]) {
    assert.is(joinCrl(parts.toSpliced(missing, 1)), undefined);
    assert.is(joinCrl(parts.with(missing, other[missing] as CrlPart)), undefined);
  }
  const [first, ...rest] = parts;
  assert.is(joinCrl([{ ...(first as CrlPart), content: Buffer.from('forged') }, ...rest]), undefined);
});

test('a further part that an earlier CRL has left does no harm', () => {
  const long = partsOf(randomBytes(1_500_000)).parts;
  const der = randomBytes(1_000);
  const short = partsOf(der, 8n).parts;
  assert.ok(joinCrl([...short, ...long.slice(1)])?.equals(der));
});

test('an object without the marks, or a copy under another name, is no part', () => {
  const [manifest] = crlManifests(PLACE, 'ns', {
    der: Buffer.of(1),
    number: 1n,
    nextUpdate: hoursFromNow(1),
    caPem: '',
  });
  assert.ok(manifest && readCrlPart(manifest));
  assert.is(readCrlPart({ ...manifest, metadata: { ...manifest?.metadata, name: 'copy' } }), undefined);
  assert.is(readCrlPart({ ...manifest, metadata: { ...manifest?.metadata, labels: {} } }), undefined);
  assert.is(readCrlPart({}), undefined);
});

test.run();
