import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW, pairOf, renewedRoot, root } from '../../../test/pki/make.ts';
import { openssl } from '../../../test/pki/openssl.ts';
import { publishedBy } from '../../../test/pki/published.ts';
import { AuthorityError } from '../../errors.ts';
import { type CaPair, caPath } from '../../pki/ca.ts';
import { generateKey, publicKeyDer } from '../../pki/keys.ts';
import { isMarkedSerial } from '../../pki/marked-serial.ts';
import { NO_NAMES } from '../../pki/san.ts';
import type { LeafRevocation } from './leaf-revocation.ts';

const holder = await root();
const pair = pairOf(holder);
const spki = publicKeyDer(await generateKey({ algorithm: 'ECDSA', size: 256 }));
const serialKey = Buffer.alloc(32, 1);
const given: LeafRevocation = { uid: 'uid-1', url: 'http://crl.example.com', serialKey: () => serialKey };

/** The leaf that is published, and the URIs that openssl reads in it. */
async function leafOf(revocation: LeafRevocation | undefined, ca: CaPair = pair) {
  const identity = { subject: { commonName: 'client' }, names: NO_NAMES, usages: ['digital signature', 'client auth'] };
  const { tlsCrt } = await publishedBy(ca, identity, spki, 3_600_000, NOW, revocation);
  const [leaf] = tlsCrt;
  if (leaf === undefined) throw new Error('no certificate');
  const { out } = openssl(['x509', '-in', '{leaf}', '-noout', '-text'], { leaf: leaf.pem });
  return { leaf, uris: [...out.matchAll(/(OCSP - )?URI:(\S+)/g)].map(([, kind = '', uri]) => `${kind}${uri}`).sort() };
}

const CRL = 'http://crl.example.com/crl/uid-1/v1.crl';
const OCSP = 'OCSP - http://crl.example.com/ocsp/uid-1/v1';

test('a leaf names the CRL and the OCSP responder of its generation, and its serial number has the mark', async () => {
  const { leaf, uris } = await leafOf(given);
  assert.equal(uris, [OCSP, CRL]);
  assert.ok(isMarkedSerial(leaf.serialNumber, holder.certificate, serialKey));
});

test('without spec.revocation.url a leaf names nothing', async () => {
  const { leaf, uris } = await leafOf(undefined);
  assert.equal(uris, []);
  assert.is(leaf.serialNumber.length, 32);
});

test('while the key of serial numbers is not known a leaf names the CRL alone', async () => {
  assert.equal((await leafOf({ ...given, serialKey: () => undefined })).uris, [CRL]);
});

test('a leaf does not name what its CA may not sign', async () => {
  const { certificate } = holder;
  const withUsages = (usages: readonly string[]) => ({ ...caPath([{ ...certificate, usages }]), signer: pair.signer });
  const withoutCrls = withUsages(certificate.usages.filter((each) => each !== 'crl sign'));
  assert.equal((await leafOf(given, withoutCrls)).uris, []);
  const clientsOnly = pairOf(renewedRoot(holder, { usages: ['client auth'] }));
  assert.equal((await leafOf(given, clientsOnly)).uris, [CRL]);
});

test('a path in the URL stays, and a name in other letters is written as DNS has it', async () => {
  const { uris } = await leafOf({ ...given, url: 'http://crl.bücher.example/pki' });
  assert.equal(uris, [
    'OCSP - http://crl.xn--bcher-kva.example/pki/ocsp/uid-1/v1',
    'http://crl.xn--bcher-kva.example/pki/crl/uid-1/v1.crl',
  ]);
});

test('a URL that is none has nothing issued, and the error names the field', async () => {
  const error = await leafOf({ ...given, url: 'http://[' }).catch((thrown: unknown) => thrown);
  assert.instance(error, AuthorityError);
  assert.match((error as AuthorityError).message, 'spec.revocation.url http://[ is no URL');
});

test.run();
