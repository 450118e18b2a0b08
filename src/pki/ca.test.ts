import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ALL_KEYS,
  describe,
  type Holder,
  hoursFromNow,
  leaf,
  NOW,
  pairOf,
  root,
  serial,
  signIntermediate,
} from '../../test/pki/make.ts';
import { type CaPairError, type CaPairFlaw, type CaPairPems, readCaPair } from './ca.ts';
import { caBasicConstraints, LEAF_BASIC_CONSTRAINTS, usageExtensions } from './extensions.ts';
import { writeCertificate } from './issue.ts';
import { encodePrivateKey, publicKeyDer } from './keys.ts';
import { MAX_PEM_BYTES, parsePem, toPem } from './pem.ts';

const ca = await root();
const upper = await signIntermediate(ca, { commonName: 'Upper' });
const lower = await signIntermediate(upper, { commonName: 'Lower' });
const stranger = await root({ commonName: 'Stranger' });
const pem = (...holders: Holder[]) => holders.map(({ certificate }) => certificate.pem).join('');
const keyPem = (holder: Holder) => encodePrivateKey(holder.key, 'PKCS8');
const texts = (list: readonly { subjectText: string }[]) =>
  list.map(({ subjectText }) => subjectText.replace('O=Certwheel, ', ''));

function refusal(pems: CaPairPems, now: Date | undefined = NOW): string {
  try {
    readCaPair(pems, now);
  } catch (error) {
    assert.is((error as Error).name, 'CaPairError');
    return `${(error as CaPairError).flaw}: ${(error as CaPairError).message}`;
  }
  return 'accepted';
}

function refuses(pems: CaPairPems, flaw: CaPairFlaw, message: string, now?: Date): void {
  const told = refusal(pems, now);
  assert.ok(told.startsWith(`${flaw}: `), told);
  assert.ok(told.includes(message), told);
}

for (const spec of ALL_KEYS) {
  test(`a root with an ${describe(spec)} key is its own anchor`, async () => {
    const pair = pairOf(await root({ keySpec: spec }));
    assert.is(pair.anchor, pair.certificate);
    assert.equal(pair.chain, [pair.certificate]);
    assert.equal(pair.certificate.keySpec, spec);
    const { certificate } = await leaf(pair);
    assert.is(certificate.issuerText, pair.certificate.subjectText);
  });
}

test('intermediates are put in order, whatever the order they come in', () => {
  const orders = [
    [lower, upper, ca],
    [ca, upper, lower],
    [upper, lower, ca],
    [upper, ca, lower, upper],
  ];
  for (const order of orders) {
    const pair = readCaPair({ certificatePem: pem(...order), keyPem: keyPem(lower) }, NOW);
    assert.equal(texts(pair.chain), ['CN=Lower', 'CN=Upper', 'CN=Test CA v1']);
    assert.is(pair.certificate.subjectText, 'CN=Lower');
    assert.ok(pair.anchor.selfSigned);
  }
});

test('without a root the top of the chain is the anchor', () => {
  const pair = readCaPair({ certificatePem: pem(lower, upper), keyPem: keyPem(lower) }, NOW);
  assert.is(pair.anchor.subjectText, 'CN=Upper');
});

test('the given anchor becomes the root if it signs the top, and is ignored if not', () => {
  const read = (anchorPem: string) =>
    readCaPair({ certificatePem: pem(lower, upper), keyPem: keyPem(lower), anchorPem }, NOW);
  assert.equal(texts(read(pem(stranger, ca)).chain), ['CN=Lower', 'CN=Upper', 'CN=Test CA v1']);
  assert.equal(texts(read(pem(stranger)).chain), ['CN=Lower', 'CN=Upper']);
  assert.equal(texts(read(pem(upper)).chain), ['CN=Lower', 'CN=Upper']);
  assert.equal(texts(read('\n').chain), ['CN=Lower', 'CN=Upper']);
});

test('an impostor with the name of the root is not the anchor', async () => {
  const impostor = await root();
  const pair = readCaPair({ certificatePem: pem(upper), keyPem: keyPem(upper), anchorPem: pem(impostor, ca) }, NOW);
  assert.is(pair.anchor.fingerprintSHA256, ca.certificate.fingerprintSHA256);
});

test('what a pair holds reads back to the same pair', () => {
  const pair = readCaPair({ certificatePem: pem(ca, lower, upper), keyPem: keyPem(lower) }, NOW);
  const again = readCaPair(
    { certificatePem: pair.chain.map((each) => each.pem).join(''), keyPem: pair.keyPem, anchorPem: pair.anchor.pem },
    NOW,
  );
  assert.equal(texts(again.chain), texts(pair.chain));
});

test('what is over 100 kB is refused, each part by its name', () => {
  const large = ' '.repeat(MAX_PEM_BYTES + 1);
  const good = { certificatePem: pem(ca), keyPem: keyPem(ca) };
  refuses({ ...good, certificatePem: large }, 'TooLarge', 'the CA certificate is over');
  refuses({ ...good, keyPem: large }, 'TooLarge', 'the CA key is over');
  refuses({ ...good, anchorPem: `${large}x` }, 'TooLarge', 'the anchor is over');
});

test('bytes outside the PEM blocks are refused', () => {
  refuses({ certificatePem: `subject=x\n${pem(ca)}`, keyPem: keyPem(ca) }, 'NotPem', 'bytes outside the PEM blocks');
  refuses({ certificatePem: pem(ca), keyPem: keyPem(ca), anchorPem: 'x' }, 'NotPem', 'the anchor');
  refuses({ certificatePem: pem(ca), keyPem: `x${keyPem(ca)}` }, 'UnreadableKey', 'bytes outside the PEM blocks');
});

test('no certificate is refused', () => {
  refuses({ certificatePem: '', keyPem: keyPem(ca) }, 'NoCertificate', 'there is no CA certificate');
  refuses({ certificatePem: keyPem(ca), keyPem: keyPem(ca) }, 'NoCertificate', 'PRIVATE KEY, which is no certificate');
});

test('an unreadable certificate is refused', () => {
  refuses(
    { certificatePem: toPem('CERTIFICATE', Buffer.from('junk')), keyPem: keyPem(ca) },
    'UnreadableCertificate',
    'the CA certificate',
  );
});

test('what is no CA is refused', async () => {
  const client = await leaf(ca);
  refuses({ certificatePem: pem(client), keyPem: keyPem(client) }, 'NotACa', 'basic constraints');
  const noKeyUsage = await signIntermediate(ca, { extensions: [caBasicConstraints()] });
  refuses({ certificatePem: pem(noKeyUsage), keyPem: keyPem(noKeyUsage) }, 'NotACa', 'cert sign');
  const crlOnly = await signIntermediate(ca, { extensions: [caBasicConstraints(), ...usageExtensions(['crl sign'])] });
  refuses({ certificatePem: pem(crlOnly), keyPem: keyPem(crlOnly) }, 'NotACa', 'cert sign');
  const keyUsageOnly = await signIntermediate(ca, {
    extensions: [LEAF_BASIC_CONSTRAINTS, ...usageExtensions(['cert sign'])],
  });
  refuses({ certificatePem: pem(keyUsageOnly), keyPem: keyPem(keyUsageOnly) }, 'NotACa', 'basic constraints');
});

test('dates count, both ends included, unless nobody gives a moment', () => {
  const pems = { certificatePem: pem(ca), keyPem: keyPem(ca) };
  const { notBefore, notAfter } = ca.certificate;
  refuses(pems, 'Expired', 'O=Certwheel, CN=Test CA v1 has expired at', new Date(notAfter.getTime() + 1));
  refuses(pems, 'NotYetValid', 'is not valid before', new Date(notBefore.getTime() - 1));
  assert.is(refusal(pems, notAfter), 'accepted');
  assert.is(refusal(pems, notBefore), 'accepted');
  assert.is(readCaPair(pems, undefined).certificate.notAfter.getTime(), notAfter.getTime());
});

test('a key of another certificate is refused', () => {
  refuses({ certificatePem: pem(ca), keyPem: keyPem(stranger) }, 'KeyMismatch', 'does not match');
});

test('a key file whose public half was forged to match is refused', async () => {
  const own = ca.key.export({ type: 'sec1', format: 'der' });
  const other = stranger.key.export({ type: 'sec1', format: 'der' });
  // SEC1 ends with the public point: the private half of one key, the public half of the other.
  const forged = Buffer.concat([other.subarray(0, -65), own.subarray(-65)]);
  const told = refusal({ certificatePem: pem(ca), keyPem: toPem('EC PRIVATE KEY', forged) });
  assert.match(told, /^(KeyMismatch|UnreadableKey): /);
});

test('a chain that is broken is refused', async () => {
  const broken = (holders: Holder[], holder: Holder, message: string) =>
    refuses({ certificatePem: pem(...holders), keyPem: keyPem(holder) }, 'BrokenChain', message);
  broken([lower, ca], lower, 'CN=Test CA v1 signs none of it');
  broken([ca, stranger], ca, 'CN=Stranger signs none of it');
  broken([upper, lower, ca], upper, 'CN=Lower signs none of it');
  const old = await root({ notAfter: hoursFromNow(-0.5) });
  const child = await signIntermediate(old);
  broken([child, old], child, 'has expired');
  const narrow = await signIntermediate(ca, { commonName: 'Narrow', pathLength: 0 });
  const below = await signIntermediate(narrow, { commonName: 'Below' });
  broken([below, narrow, ca], below, 'CN=Narrow allows 0 CAs below it and has 1');
});

test('an issuer with a weak key is refused', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const content = { notBefore: hoursFromNow(-1), notAfter: hoursFromNow(1), serialNumber: serial(), signingKey: weak };
  const name = ca.certificate.subjectDer;
  const extensions = [caBasicConstraints(), ...usageExtensions(['cert sign'])];
  const weakRoot = writeCertificate({
    ...content,
    issuerDer: name,
    subjectDer: name,
    publicKeyDer: publicKeyDer(weak),
    extensions,
  });
  const child = writeCertificate({
    ...content,
    issuerDer: name,
    subjectDer: upper.certificate.subjectDer,
    publicKeyDer: publicKeyDer(upper.key),
    extensions,
  });
  const certificatePem = toPem('CERTIFICATE', child) + toPem('CERTIFICATE', weakRoot);
  refuses({ certificatePem, keyPem: keyPem(upper) }, 'BrokenChain', 'an RSA key of only 1024 bits');
});

test('an encrypted key is refused as such', () => {
  const encrypted = ca.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
  refuses({ certificatePem: pem(ca), keyPem: encrypted }, 'EncryptedKey', 'encrypted');
  const sec1 = ca.key.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
  refuses({ certificatePem: pem(ca), keyPem: sec1 }, 'EncryptedKey', 'encrypted');
});

test('an unreadable or unsupported key is refused, and nothing of it is told', () => {
  const [block] = parsePem(keyPem(ca));
  const cut = toPem('PRIVATE KEY', block?.der.subarray(0, -10) ?? Buffer.alloc(1));
  refuses({ certificatePem: pem(ca), keyPem: cut }, 'UnreadableKey', 'unreadable');
  refuses({ certificatePem: pem(ca), keyPem: '' }, 'UnreadableKey', 'no private keys');
  refuses({ certificatePem: pem(ca), keyPem: pem(ca) }, 'UnreadableKey', 'CERTIFICATE where a private key belongs');
  const ed448 = generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  refuses({ certificatePem: pem(ca), keyPem: ed448 }, 'UnreadableKey', 'unsupported type ed448');
  const told = refusal({ certificatePem: pem(ca), keyPem: cut });
  for (const line of cut.split('\n').slice(1, -2)) assert.not.ok(told.includes(line));
});

test.run();
