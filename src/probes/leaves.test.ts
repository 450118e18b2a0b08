import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { opensslVerify } from '../../test/e2e/support/openssl.ts';
import { generation, IDENTITY, leafOf, rogueOf } from '../../test/unit/probed.ts';
import { parseCertificates } from '../pki/certificate.ts';
import { makeProbeLeaf } from './leaves.ts';

const ca = await generation('Ours v1');
const anchors = ca.path.anchor.pem;

test('a probe has a name of its own, ten minutes of life and no right but that of a client', async () => {
  const now = new Date();
  const [leaf] = parseCertificates((await leafOf(ca)).certificate);
  assert.is(leaf?.subjectText, 'OU=certwheel-probe, OU=payments, OU=clients, OU=gateway, CN=certwheel-probe');
  const lifeMs = (leaf?.notAfter.getTime() ?? 0) - now.getTime();
  assert.ok(lifeMs > 590_000 && lifeMs <= 600_000, `${lifeMs}`);
});

test('OpenSSL accepts a probe, and refuses a rogue whose issuer has the same name', async () => {
  assert.match(await opensslVerify((await leafOf(ca)).certificate, anchors), 'OK');
  const rogue = (await rogueOf(ca)).certificate;
  const [leaf] = parseCertificates(rogue);
  assert.ok(leaf?.issuerDer.equals(ca.path.certificate.subjectDer));
  assert.is.not(leaf?.authorityKeyId, ca.path.certificate.subjectKeyId);
  const refused = await opensslVerify(rogue, anchors).catch((error: unknown) => String(error));
  assert.match(refused, /unable to get local issuer certificate|signature failure/);
});

test('the serial number is noted before the signature, and a CA that ends signs no probe', async () => {
  const serials: string[] = [];
  await makeProbeLeaf(ca, IDENTITY, new Date(), ({ serialNumber }) => serials.push(serialNumber));
  assert.is(serials.length, 1);
  const end = new Date(ca.path.certificate.notAfter.getTime() - 10_000);
  assert.is(await makeProbeLeaf(ca, IDENTITY, end, ({ serialNumber }) => serials.push(serialNumber)), undefined);
  assert.is(serials.length, 1);
});

test.run();
