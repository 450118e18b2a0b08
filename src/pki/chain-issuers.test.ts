/** What stands above a leaf: its issuers, their keys and their paths. */
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Holder, hoursFromNow, leaf, NOW, root, serial, signIntermediate } from '../../test/pki/make.ts';
import { openssl, opensslCertificate } from '../../test/pki/openssl.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import {
  ALL,
  ASKED,
  accepts,
  ask,
  ca,
  EXPECTED,
  lower,
  rejects,
  stranger,
  upper,
} from '../../test/unit/proven-answer.ts';
import { parseCertificate, parseCertificates } from './certificate.ts';
import { chainsTo, proveIssued, wayToAnchor } from './chain.ts';
import { caBasicConstraints, LEAF_BASIC_CONSTRAINTS, usageExtensions } from './extensions.ts';
import { publicKeyDer } from './keys.ts';
import { encodeName } from './name.ts';
import { NO_NAMES } from './san.ts';

test('a chain that does not lead to an anchor is wrong', async () => {
  const message = "does not chain to the authority's CA";
  await rejects({ anchors: [stranger] }, message);
  await rejects({ anchors: [] }, message);
  await rejects({ signer: lower }, message);
  await rejects({ signer: lower, others: [upper] }, message);
  const impostor = await root();
  await rejects({ signer: impostor }, message);
  await rejects({ signer: { certificate: ca.certificate, key: stranger.key } }, message);
  // The anchors decide, whatever root the answer brings along.
  await rejects({ signer: stranger, others: [stranger] }, message);
});

test('an answer without its intermediates is completed by those that are known, and so is what is published', async () => {
  const { certificate } = await ask(lower);
  const intermediates = [upper.certificate, lower.certificate];
  const proof = { anchors: [ca.certificate], expected: EXPECTED, carries: ALL };
  assert.match(proveIssued({ ...proof, chain: [certificate] })?.problem ?? '', /does not chain to the authority's CA/);
  assert.is(proveIssued({ ...proof, chain: [certificate], intermediates }), undefined);
  const published = wayToAnchor([certificate, ...intermediates], [ca.certificate], NOW);
  assert.equal(
    published.map(({ subjectText }) => subjectText),
    ['O=team, CN=client', 'CN=Lower', 'CN=Upper'],
  );
  const partial = wayToAnchor([certificate, ...intermediates], [upper.certificate], NOW);
  assert.is(partial.at(-1), upper.certificate, 'an anchor that is not self-signed stays');
});

test('issuers must be CAs, within their path length, and valid', async () => {
  const client = await ask(ca);
  const notCa = await signIntermediate(ca, { commonName: 'Not a CA', extensions: [LEAF_BASIC_CONSTRAINTS] });
  const asCa = (holder: Holder): Holder => ({ ...holder, certificate: { ...holder.certificate, isCA: true } });
  await rejects({ signer: asCa(client), others: [client] }, 'its path ends at O=team, CN=client, which is not trusted');
  await rejects({ signer: asCa(notCa), others: [notCa] }, 'CN=Not a CA is not a CA');
  const noSign = await signIntermediate(ca, {
    commonName: 'CRL',
    extensions: [caBasicConstraints(), ...usageExtensions(['crl sign'])],
  });
  await rejects({ signer: noSign, others: [noSign] }, 'CN=CRL may not sign certificates');
  const narrow = await signIntermediate(ca, { commonName: 'Narrow', pathLength: 0 });
  const below = await signIntermediate(narrow, { commonName: 'Below' });
  await accepts({ signer: narrow, others: [narrow] });
  await rejects({ signer: below, others: [below, narrow] }, 'CN=Narrow allows 0 CAs below it and has 1');
  const late = await signIntermediate(ca, { commonName: 'Late', notBefore: hoursFromNow(1) });
  await rejects({ signer: late, others: [late] }, 'CN=Late is not valid before');
});

test('a path length counts a CA that only renewed its key too, as Go does', async () => {
  const narrow = await signIntermediate(ca, { commonName: 'Narrow', pathLength: 0 });
  const renewed = await signIntermediate(narrow, { commonName: 'Narrow', pathLength: 0 });
  await rejects({ signer: renewed, others: [renewed, narrow] }, 'CN=Narrow allows 0 CAs below it and has 1');
});

test('weak keys and broken hashes are wrong', async () => {
  const content = { notBefore: hoursFromNow(-1), notAfter: hoursFromNow(1), serialNumber: serial() };
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const weakLeaf = await leaf(ca, { ...ASKED, ...content, key: weak });
  const check = (certificate: Holder['certificate'], anchor: Holder['certificate'], publicKey: Buffer) =>
    proveIssued({
      chain: [certificate],
      anchors: [anchor],
      expected: { ...EXPECTED, publicKeyDer: publicKey },
      carries: ALL,
    })?.problem ?? 'accepted';
  assert.match(check(weakLeaf.certificate, ca.certificate, publicKeyDer(weak)), 'RSA key of only 1024 bits');

  const weakRoot = writeCertificate({
    ...content,
    notAfter: hoursFromNow(100),
    issuerDer: encodeName({ commonName: 'Weak' }),
    subjectDer: encodeName({ commonName: 'Weak' }),
    publicKeyDer: publicKeyDer(weak),
    extensions: [caBasicConstraints(), ...usageExtensions(['cert sign'])],
    signingKey: weak,
  });
  await rejects(
    {
      signer: { certificate: parseCertificate(weakRoot), key: weak },
      anchors: [{ certificate: parseCertificate(weakRoot), key: weak }],
    },
    'CN=Weak has an RSA key of only 1024 bits',
  );

  const extensions = ['-addext', 'extendedKeyUsage=clientAuth', '-addext', 'basicConstraints=CA:FALSE'];
  const [old] = parseCertificates(opensslCertificate('-newkey', 'rsa:2048', '-sha1', '-subj', '/CN=a', ...extensions));
  assert.ok(old);
  const problem = proveIssued({
    chain: [old],
    anchors: [old],
    expected: { ...EXPECTED, publicKeyDer: old.publicKeyDer, subject: { commonName: 'a' }, names: NO_NAMES },
    carries: ALL,
  });
  assert.match(problem?.problem ?? '', 'is signed with sha1WithRSAEncryption');
});

test('too many certificates are not searched', async () => {
  await rejects({ others: Array.from({ length: 10 }, () => stranger) }, 'at most 10 are read');
});

test('CAs that certify each other make no loop', async () => {
  const one = await signIntermediate(stranger, { commonName: 'One' });
  const two = await signIntermediate(one, { commonName: 'Two' });
  const back = await signIntermediate(two, { commonName: 'One', key: one.key });
  await rejects({ signer: one, others: [back, two, one] }, 'does not chain');
  // The loop is left for the way that leads to the anchor.
  await accepts({ signer: one, others: [back, two, one], anchors: [stranger] });
});

test('chainsTo agrees with openssl about a chain', async () => {
  const client = await ask(lower);
  const cases: [Holder[], Holder, boolean][] = [
    [[lower, upper], ca, true],
    [[upper, lower], ca, true],
    [[lower], ca, false],
    [[upper], ca, false],
    [[lower, upper], stranger, false],
  ];
  for (const [others, anchor, wanted] of cases) {
    const untrusted = others.map(({ certificate }) => certificate.pem).join('');
    const files = { ca: anchor.certificate.pem, untrusted, leaf: client.certificate.pem };
    const attime = String(NOW.getTime() / 1000);
    const { ok } = openssl(
      [
        'verify',
        '-attime',
        attime,
        '-x509_strict',
        '-purpose',
        'sslclient',
        '-CAfile',
        '{ca}',
        '-untrusted',
        '{untrusted}',
        '{leaf}',
      ],
      files,
    );
    assert.is(ok, wanted);
    assert.is(
      chainsTo(
        [client, ...others].map(({ certificate }) => certificate),
        [anchor.certificate],
      ),
      wanted,
    );
  }
  assert.not.ok(chainsTo([], [ca.certificate]));
});

test.run();
