import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hoursFromNow, NOW, root, signIntermediate } from '../../test/pki/make.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import { CaReader } from './ca-reader.ts';
import { encodePrivateKey } from './keys.ts';
import type { CaMaterial } from './read-ca.ts';

const ca = await root({ notAfter: hoursFromNow(10) });

function material(certificates: string, changes: Partial<CaMaterial> = {}): CaMaterial {
  const key = Buffer.from(encodePrivateKey(ca.key, 'PKCS8'));
  return { place: 'Secret shop/ca', certificates: Buffer.from(certificates), key, ...changes };
}

test('an unchanged source is not read again', async () => {
  const reader = new CaReader();
  const first = await reader.read(material(ca.certificate.pem), NOW);
  assert.is(await reader.read(material(ca.certificate.pem), hoursFromNow(9)), first);
});

test('each change of the source is read', async () => {
  const other = await root();
  for (const changes of [
    { place: 'Secret shop/other' },
    { partialChain: true },
    { roots: Buffer.from(other.certificate.pem) },
    { certificates: Buffer.from(ca.certificate.pem + other.certificate.pem) },
    { key: Buffer.from(encodePrivateKey(ca.key, 'PKCS1')) },
  ]) {
    const reader = new CaReader();
    const first = await reader.read(material(ca.certificate.pem), NOW);
    assert.is.not(await reader.read(material(ca.certificate.pem, changes), NOW), first, Object.keys(changes)[0]);
  }
});

test('a CA that has expired since it was read is refused, and one that is not valid yet at a clock that was set back', async () => {
  const reader = new CaReader();
  for (const [at, refusal] of [
    [hoursFromNow(11), /has expired/],
    [hoursFromNow(-2), /is not valid before/],
  ] as const) {
    await reader.read(material(ca.certificate.pem), NOW);
    assert.match(String(await thrownBy(reader.read(material(ca.certificate.pem), at))), refusal);
  }
  assert.is(
    (await reader.read(material(ca.certificate.pem), NOW)).certificate.serialNumber,
    ca.certificate.serialNumber,
  );
});

test('a certificate of the source that has become valid since is used', async () => {
  const longer = await root({ key: ca.key, notBefore: hoursFromNow(2), notAfter: hoursFromNow(100) });
  const reader = new CaReader();
  const source = material(ca.certificate.pem + longer.certificate.pem);
  const serialAt = async (hours: number) => (await reader.read(source, hoursFromNow(hours))).certificate.serialNumber;
  assert.is(await serialAt(0), ca.certificate.serialNumber);
  assert.is(await serialAt(1), ca.certificate.serialNumber);
  assert.is(await serialAt(3), longer.certificate.serialNumber);
});

test('a root above that has ended since is judged with the moment', async () => {
  const upper = await root({ commonName: 'Upper', notAfter: hoursFromNow(5) });
  const lower = await signIntermediate(upper, { key: ca.key, notAfter: hoursFromNow(4) });
  const reader = new CaReader();
  const source = material(lower.certificate.pem, { roots: Buffer.from(upper.certificate.pem) });
  const first = await reader.read(source, NOW);
  assert.is(await reader.read(source, hoursFromNow(3)), first);
  assert.match(String(await thrownBy(reader.read(source, hoursFromNow(6)))), /has expired/);
});

test.run();
