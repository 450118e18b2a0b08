import { generateKeyPairSync } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Holder,
  hoursFromNow,
  type LeafOptions,
  leaf,
  NOW,
  root,
  serial,
  signIntermediate,
} from '../../test/pki/make.ts';
import { openssl, opensslCertificate } from '../../test/pki/openssl.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import { parseCertificate, parseCertificates } from './certificate.ts';
import { type CarriedField, chainsTo, type Expected, proveIssued, wayToAnchor } from './chain.ts';
import { caBasicConstraints, LEAF_BASIC_CONSTRAINTS, usageExtensions } from './extensions.ts';
import { generateKey, publicKeyDer } from './keys.ts';
import { encodeName } from './name.ts';
import { NO_NAMES } from './san.ts';

const ca = await root();
const upper = await signIntermediate(ca, { commonName: 'Upper' });
const lower = await signIntermediate(upper, { commonName: 'Lower' });
const stranger = await root({ commonName: 'Stranger' });
const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
const ALL: readonly CarriedField[] = ['commonName', 'subject', 'dnsNames', 'uris', 'emailAddresses', 'ipAddresses'];
const ASKED = {
  subject: { commonName: 'client', organizations: ['team'] },
  names: { dnsNames: ['a.example'], uris: ['spiffe://td.example/a'], emailAddresses: [], ipAddresses: ['2001:db8::1'] },
  usages: ['digital signature', 'client auth'],
};
const EXPECTED: Expected = { ...ASKED, publicKeyDer: publicKeyDer(key), now: NOW };

const ask = (holder: Holder, options: LeafOptions = {}) => leaf(holder, { ...ASKED, key, ...options });

interface Case {
  answer?: LeafOptions;
  signer?: Holder;
  others?: Holder[];
  anchors?: Holder[];
  expected?: Partial<Expected>;
  carries?: readonly CarriedField[];
}

async function prove({ answer, signer = ca, others = [], anchors = [ca], expected, carries = ALL }: Case) {
  const issued = await ask(signer, answer);
  return proveIssued({
    chain: [issued, ...others].map(({ certificate }) => certificate),
    anchors: anchors.map(({ certificate }) => certificate),
    expected: { ...EXPECTED, ...expected },
    carries,
  });
}

async function rejects(wrong: Case, message: string): Promise<void> {
  const flaw = await prove(wrong);
  assert.ok(flaw?.problem.includes(message), flaw?.problem ?? 'accepted');
  assert.is(flaw?.validInMs, undefined);
}

async function accepts(right: Case): Promise<void> {
  assert.is((await prove(right))?.problem, undefined);
}

test('exactly what was asked for is right', async () => {
  await accepts({});
  await accepts({ signer: lower, others: [lower, upper] });
  await accepts({ signer: lower, others: [upper, ca, lower, stranger] });
  await accepts({ signer: lower, others: [lower], anchors: [stranger, upper] });
  await accepts({ expected: { names: { ...ASKED.names, dnsNames: ['A.example'], ipAddresses: ['2001:DB8:0::0:1'] } } });
  await accepts({ expected: { usages: ['signing', 'client auth'] } });
});

test('an empty answer is wrong', () => {
  assert.match(
    proveIssued({ chain: [], anchors: [ca.certificate], expected: EXPECTED, carries: ALL })?.problem ?? '',
    'no certificate',
  );
});

test('another public key is wrong', async () => {
  await rejects({ answer: { key: await generateKey({ algorithm: 'ECDSA', size: 256 }) } }, 'another public key');
});

test('names that differ are wrong on the fields that the authority carries', async () => {
  const { names, subject } = ASKED;
  await rejects(
    { answer: { subject: { ...subject, commonName: 'other' } } },
    'commonName holds "other" in place of "client"',
  );
  await rejects(
    { answer: { subject: { ...subject, organizations: ['team', 'system:masters'] } } },
    'organizations holds "team", "system:masters"',
  );
  await rejects({ answer: { subject: { commonName: 'client' } } }, 'organizations holds nothing in place of "team"');
  await rejects({ answer: { subject: { ...subject, countries: ['DE'] } } }, 'countries holds "DE" in place of nothing');
  await rejects(
    { answer: { names: { ...names, dnsNames: ['a.example', 'b.example'] } } },
    'dnsNames holds "a.example", "b.example"',
  );
  await rejects({ answer: { names: { ...names, dnsNames: [] } } }, 'dnsNames holds nothing');
  await rejects({ answer: { names: { ...names, uris: ['spiffe://td.example/b'] } } }, 'uris holds');
  await rejects({ answer: { names: { ...names, ipAddresses: ['192.0.2.1'] } } }, 'ipAddresses holds');
  await rejects(
    { answer: { names: { ...names, emailAddresses: ['a@b.example'] } } },
    'emailAddresses holds "a@b.example" in place of nothing',
  );
});

test('what the authority cannot carry may be missing, but no alternative name may be added', async () => {
  const { names } = ASKED;
  const carries: readonly CarriedField[] = ['dnsNames'];
  await accepts({ answer: { subject: { organizations: ['template'] } }, carries });
  await accepts({ answer: { names: { ...names, uris: [] } }, carries });
  await rejects({ answer: { names: { ...names, uris: ['spiffe://td.example/b'] } }, carries }, 'uris holds');
  await rejects({ answer: { names: { ...names, emailAddresses: ['a@b.example'] } }, carries }, 'emailAddresses holds');
  await rejects({ answer: { names: { ...names, dnsNames: [] } }, carries }, 'dnsNames holds nothing');
});

test('attributes and names of foreign kinds are wrong', async () => {
  const content = {
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(1),
    serialNumber: serial(),
    signingKey: ca.key,
  };
  const base = { ...content, issuerDer: ca.certificate.subjectDer, publicKeyDer: publicKeyDer(key) };
  const usages = [LEAF_BASIC_CONSTRAINTS, ...usageExtensions(ASKED.usages)];
  const check = (der: Buffer, carries: readonly CarriedField[] = ALL) =>
    proveIssued({
      chain: [parseCertificate(der)],
      anchors: [ca.certificate],
      expected: { ...EXPECTED, subject: { commonName: 'a' }, names: NO_NAMES },
      carries,
    })?.problem ?? 'accepted';
  const rdn = (hex: string) => Buffer.from(hex, 'hex');
  const twoNames = rdn('3018310a300806035504030c0161310a300806035504030c0162');
  assert.match(
    check(writeCertificate({ ...base, subjectDer: twoNames, extensions: usages })),
    '"CN=b", which was not requested',
  );
  const userId = rdn('301f310a300806035504030c01613111300f060a0992268993f22c6401010c0162');
  assert.match(check(writeCertificate({ ...base, subjectDer: userId, extensions: usages })), 'which was not requested');
  assert.is(check(writeCertificate({ ...base, subjectDer: userId, extensions: usages }), ['commonName']), 'accepted');
  const otherName = rdn('30180603551d110411300fa00d06032a0304a0060c0461626364');
  assert.match(
    check(
      writeCertificate({ ...base, subjectDer: encodeName({ commonName: 'a' }), extensions: [...usages, otherName] }),
    ),
    'holds a otherName',
  );
});

test('usages are those asked for', async () => {
  await rejects({ answer: { usages: ['digital signature'] } }, 'lacks the usage "client auth"');
  await rejects({ answer: { usages: ['digital signature', 'server auth'] } }, 'lacks the usage "client auth"');
  await rejects(
    { answer: { usages: ['digital signature', 'client auth', 'server auth'] } },
    'has the usage "server auth"',
  );
  await rejects({ answer: { usages: ['digital signature', 'client auth', 'any'] } }, 'has the usage "any"');
  await rejects(
    { answer: { usages: ['digital signature', 'key agreement', 'client auth'] } },
    'has the usage "key agreement"',
  );
  await rejects({ answer: { usages: ['key agreement', 'client auth'] } }, 'lacks the usage "digital signature"');
  await accepts({ answer: { usages: ['client auth'] } });
});

test('a CA in place of a leaf is wrong', async () => {
  const subject = { commonName: 'Lower' };
  const expected = { ...EXPECTED, subject, names: NO_NAMES, publicKeyDer: publicKeyDer(key) };
  for (const extensions of [[caBasicConstraints()], [LEAF_BASIC_CONSTRAINTS, ...usageExtensions(['cert sign'])]]) {
    const { certificate } = await signIntermediate(ca, { commonName: 'Lower', key, extensions });
    assert.match(
      proveIssued({ chain: [certificate], anchors: [ca.certificate], expected, carries: ALL })?.problem ?? '',
      'is a CA',
    );
  }
});

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

test('a leaf may not outlive its issuers or the limit', async () => {
  const short = await root({ notAfter: hoursFromNow(2) });
  const lasting: Holder = { ...short, certificate: { ...short.certificate, notAfter: hoursFromNow(1000) } };
  await rejects({ signer: lasting, anchors: [short] }, 'outlives its issuer');
  await rejects({ expected: { notAfterLimit: hoursFromNow(23) } }, 'later than');
  await accepts({ expected: { notAfterLimit: hoursFromNow(24) } });
});

test('a serial number is good once', async () => {
  const serialNumber = serial();
  const answer = { serialNumber };
  const usedSerials = [serial().toString('hex'), serialNumber.toString('hex')];
  await rejects({ answer, expected: { usedSerials } }, 'has the serial number of an earlier one');
  await accepts({ answer, expected: { usedSerials: usedSerials.slice(0, 1) } });
});

test('dates count, both ends included', async () => {
  await rejects({ expected: { now: new Date(hoursFromNow(24).getTime() + 1) } }, 'has expired');
  await accepts({ expected: { now: hoursFromNow(24) } });
  await accepts({ expected: { now: hoursFromNow(-1) } });
});

test('a certificate of the near future is distinguished from a wrong one', async () => {
  const flawAt = (aheadMs: number, extra: Case = {}) =>
    prove({ answer: { notBefore: new Date(NOW.getTime() + aheadMs) }, ...extra });
  assert.is((await flawAt(60_000))?.validInMs, 60_000);
  assert.is((await flawAt(1_000))?.validInMs, 1_000);
  const far = await flawAt(61_000);
  assert.match(far?.problem ?? '', 'is not valid before');
  assert.is(far?.validInMs, undefined);
  assert.is((await flawAt(5_000, { expected: { maxAheadMs: 1_000 } }))?.validInMs, undefined);
  assert.is((await flawAt(5_000, { anchors: [stranger] }))?.validInMs, undefined);
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

test('what openssl says of a chain, chainsTo says too', async () => {
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
