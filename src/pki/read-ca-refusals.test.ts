import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ca, keyPem, pem, read, refuses, stranger, upper } from '../../test/pki/ca-files.ts';
import { hoursFromNow, leaf, root, serial, signIntermediate } from '../../test/pki/make.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import { thrownBy } from '../../test/unit/thrown-by.ts';
import { caBasicConstraints, LEAF_BASIC_CONSTRAINTS, usageExtensions } from './extensions.ts';
import { type PrivateKey, publicKeyDer } from './keys.ts';
import { encodeName } from './name.ts';
import { toPem } from './pem.ts';

test('a certificate that is no CA is refused', async () => {
  const client = await leaf(ca);
  await refuses('NotACa', 'its basic constraints lack CA:TRUE', client);
  const signsNothing = await signIntermediate(ca, {
    extensions: [caBasicConstraints(), ...usageExtensions(['digital signature'])],
  });
  await refuses('NotACa', 'its key usage lacks keyCertSign', signsNothing, { roots: pem(ca) });
  const notCa = await signIntermediate(ca, { extensions: [LEAF_BASIC_CONSTRAINTS] });
  await refuses('NotACa', 'CA:TRUE', notCa, { roots: pem(ca) });
});

test('a CA without a key usage extension is accepted, as OpenSSL, Go and Java do', async () => {
  const plain = await signIntermediate(ca, { extensions: [caBasicConstraints()] });
  assert.is((await read(plain, { roots: pem(ca) })).chain.length, 2);
});

test('a CA that has ended or not begun is refused, and so is one below such a CA', async () => {
  await refuses('Expired', 'has expired at', await root({ notBefore: hoursFromNow(-9), notAfter: hoursFromNow(-1) }));
  await refuses(
    'NotYetValid',
    'is not valid before',
    await root({ notBefore: hoursFromNow(1), notAfter: hoursFromNow(9) }),
  );
  const old = await root({ notAfter: hoursFromNow(-0.5) });
  const child = await signIntermediate(old);
  await refuses('BrokenChain', 'has expired', child, { crt: pem(child, old) });
});

test('a path length that is too short is refused', async () => {
  const narrow = await signIntermediate(ca, { commonName: 'Narrow', pathLength: 0 });
  const below = await signIntermediate(narrow, { commonName: 'Below' });
  await refuses('BrokenChain', 'CN=Narrow allows 0 CAs below it and has 1', below, { crt: pem(below, narrow, ca) });
});

test('an issuer with a weak key is refused', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const name = encodeName({ commonName: 'Weak' });
  const signedBy = (subjectDer: Buffer, key: PrivateKey) =>
    toPem(
      'CERTIFICATE',
      writeCertificate({
        notBefore: hoursFromNow(-1),
        notAfter: hoursFromNow(1),
        serialNumber: serial(),
        signingKey: weak,
        issuerDer: name,
        subjectDer,
        publicKeyDer: publicKeyDer(key),
        extensions: [caBasicConstraints(), ...usageExtensions(['cert sign'])],
      }),
    );
  const crt = signedBy(upper.certificate.subjectDer, upper.key) + signedBy(name, weak);
  await refuses('BrokenChain', 'an RSA key of only 1024 bits', upper, { crt });
});

test('a key of another CA is refused', async () => {
  await refuses('KeyMismatch', 'this is not the key of O=Certwheel, CN=Test CA v1', ca, { key: keyPem(stranger) });
});

test('a key file whose public half was forged to match is refused', async () => {
  const own = ca.key.export({ type: 'sec1', format: 'der' });
  const other = stranger.key.export({ type: 'sec1', format: 'der' });
  // SEC1 ends with the public point: the private half of one key, the public half of the other.
  const forged = Buffer.concat([other.subarray(0, -65), own.subarray(-65)]);
  const refusal = await thrownBy(read(ca, { key: toPem('EC PRIVATE KEY', forged) }));
  assert.match(String(refusal), /Secret ns\/pair, key tls\.key/);
});

test('a malformed certificate is named by its block', async () => {
  const crt = pem(ca) + toPem('CERTIFICATE', Buffer.from('junk'));
  await refuses('UnreadableCertificate', 'key tls.crt, block 2: the certificate is malformed', ca, { crt });
});

test.run();
