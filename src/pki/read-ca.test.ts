import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ca, lower, pem, read, refuses, stranger, upper } from '../../test/pki/ca-files.ts';
import {
  ALL_KEYS,
  describe,
  type Holder,
  hoursFromNow,
  leaf,
  renewedRoot,
  root,
  signIntermediate,
} from '../../test/pki/make.ts';
import type { CaPair } from './ca.ts';
import { encodeName } from './name.ts';

const chainOf = ({ chain }: CaPair) => chain.map(({ subjectText }) => subjectText.replace('O=Certwheel, ', ''));
const WHOLE = ['CN=Lower', 'CN=Upper', 'CN=Test CA v1'];

for (const spec of ALL_KEYS) {
  test(`a root with an ${describe(spec)} key is its own anchor`, async () => {
    const pair = await read(await root({ keySpec: spec }));
    assert.is(pair.anchor, pair.certificate);
    assert.equal(pair.chain, [pair.certificate]);
    assert.equal(pair.certificate.keySpec, spec);
    assert.equal(pair.rest.leftAside, []);
    const { certificate } = await leaf(pair);
    assert.is(certificate.issuerText, pair.certificate.subjectText);
  });
}

test('the path is found whatever the order, in tls.crt and ca.crt together', async () => {
  const places: [crt: Holder[], roots: Holder[]][] = [
    [[lower, upper, ca], []],
    [[ca, upper, lower], []],
    [[upper, lower, ca], []],
    [[upper, ca, lower, upper], [ca]],
    [[lower], [ca, upper]],
    [
      [upper, lower],
      [stranger, ca],
    ],
  ];
  for (const [crt, roots] of places) {
    const pair = await read(lower, { crt: pem(...crt), roots: pem(...roots) });
    assert.equal(chainOf(pair), WHOLE);
    assert.is(pair.certificate.subjectText, 'CN=Lower');
  }
});

test('a CA whose root is missing is refused, and the missing root is named', async () => {
  const missing =
    'key tls.crt: the root O=Certwheel, CN=Test CA v1 that signed CN=Upper is missing; put it into the key ca.crt of Secret ns/pair';
  await refuses('MissingIssuer', missing, lower, { crt: pem(lower, upper) });
  await refuses('MissingIssuer', missing, lower, { crt: pem(lower, upper), roots: pem(stranger) });
  await refuses('MissingIssuer', missing, lower, { crt: pem(lower, upper), roots: pem(upper) });
  await refuses('MissingIssuer', 'the root CN=Upper that signed CN=Lower is missing', lower, { roots: pem(ca) });
});

test('a path may end at an intermediate where partial chains are allowed, and at the root where that is there', async () => {
  const partial = await read(lower, { crt: pem(lower, upper), partialChain: true });
  assert.equal(chainOf(partial), ['CN=Lower', 'CN=Upper']);
  assert.is(partial.anchor.subjectText, 'CN=Upper');
  assert.equal(chainOf(await read(lower, { crt: pem(lower, upper), roots: pem(ca), partialChain: true })), WHOLE);
});

test('a root of the same name that did not sign the CA is distinguished from the one that did', async () => {
  const impostor = await root();
  const pair = await read(upper, { roots: pem(impostor, ca) });
  assert.is(pair.anchor.fingerprintSHA256, ca.certificate.fingerprintSHA256);
  await refuses('MissingIssuer', 'its key id or serial number is another', upper, { roots: pem(impostor) });
  const copies = Array.from({ length: 30 }, () => impostor);
  assert.is(
    (await read(upper, { roots: pem(...copies, ca) })).anchor.fingerprintSHA256,
    ca.certificate.fingerprintSHA256,
  );
});

test('of several certificates for one key the valid one that ends last is taken, in any order and any place', async () => {
  const expired = renewedRoot(ca, { notBefore: hoursFromNow(-11), notAfter: hoursFromNow(-1) });
  const longer = renewedRoot(ca, { notAfter: hoursFromNow(2000) });
  for (const crt of [pem(expired, longer), pem(longer, expired), pem(longer, ca, expired)]) {
    const pair = await read(ca, { crt });
    assert.is(pair.certificate.fingerprintSHA256, longer.certificate.fingerprintSHA256);
    assert.match(pair.rest.leftAside.join('\n'), /has expired at/);
  }
  for (const roots of [pem(ca, longer, expired), pem(expired, longer, ca)]) {
    const pair = await read(lower, { crt: pem(lower, upper), roots });
    assert.is(pair.anchor.fingerprintSHA256, longer.certificate.fingerprintSHA256);
    assert.match(pair.rest.leftAside.join('\n'), /gives way to the certificate of the same key/);
  }
});

test('a certificate that is not valid yet is left aside until it is', async () => {
  const coming = renewedRoot(ca, { notBefore: hoursFromNow(5), notAfter: hoursFromNow(3000) });
  const pair = await read(ca, { crt: pem(ca, coming) });
  assert.is(pair.certificate.fingerprintSHA256, ca.certificate.fingerprintSHA256);
  assert.equal(pair.rest.reviewAt, hoursFromNow(5));
  assert.is((await read(ca)).rest.reviewAt, undefined);
});

test('another root above the same certificate makes another id', async () => {
  const one = await read(lower, { crt: pem(lower, upper), roots: pem(ca) });
  const other = await read(lower, {
    crt: pem(lower, upper),
    roots: pem(renewedRoot(ca, { notAfter: hoursFromNow(2000) })),
  });
  assert.is(one.certificate.fingerprintSHA256, other.certificate.fingerprintSHA256);
  assert.is.not(one.id, other.id);
});

test('a cross-signed CA takes the path that is good longest', async () => {
  const crossed = await signIntermediate(stranger, {
    commonName: 'Upper',
    key: upper.key,
    notAfter: hoursFromNow(900),
  });
  const long = await signIntermediate(upper, { commonName: 'Lower', key: lower.key, notAfter: hoursFromNow(950) });
  const pair = await read(long, { crt: pem(long, upper, crossed), roots: pem(ca, stranger) });
  assert.equal(chainOf(pair), ['CN=Lower', 'CN=Upper', 'CN=Stranger']);
});

test('a root that OpenSSL takes for the signer gives way to another path', async () => {
  const same = await signIntermediate(ca, { commonName: 'Same' });
  const top = renewedRoot(same, { notAfter: hoursFromNow(2000), hasKeyId: false });
  const namesake = await signIntermediate(top, { commonName: 'Same', notAfter: hoursFromNow(1900) });
  const crossed = await signIntermediate(stranger, { commonName: 'Same', key: namesake.key });
  await refuses('BrokenChain', 'OpenSSL takes the root for it', namesake, { roots: pem(top) });
  const pair = await read(namesake, { crt: pem(namesake, crossed), roots: pem(top, stranger) });
  assert.equal(chainOf(pair), ['CN=Same', 'CN=Stranger']);
});

test('strangers, leaves and CAs that sign nothing of the chain are left aside by name', async () => {
  const client = await leaf(lower);
  const pair = await read(lower, { crt: pem(lower, stranger, client, upper, ca) });
  assert.equal(chainOf(pair), WHOLE);
  const told = pair.rest.leftAside.join('\n');
  assert.match(told, /CN=Stranger \(serial number [0-9a-f]+\) signed no certificate of the chain/);
  assert.match(told, /CN=client \(serial number [0-9a-f]+\) is not a CA/);
});

test('a ca.crt that is not needed blocks nothing, and one that is needed is named', async () => {
  const pair = await read(lower, { crt: pem(lower, upper, ca), roots: 'nothing that is PEM' });
  assert.equal(chainOf(pair), WHOLE);
  assert.match(pair.rest.leftAside.join('\n'), /ca\.crt is not needed and not read/);
  await refuses('MissingIssuer', 'Secret ns/pair, key ca.crt', lower, {
    crt: pem(lower, upper),
    roots: 'nothing that is PEM',
  });
});

test('names that differ in letter case or string type are named as the link that breaks', async () => {
  const shouting = {
    ...ca,
    certificate: {
      ...ca.certificate,
      subjectDer: encodeName({ commonName: 'TEST CA V1', organizations: ['Certwheel'] }),
    },
  };
  const below = await signIntermediate(shouting, { commonName: 'Below' });
  await refuses('MissingIssuer', 'differ in letter case or string type', below, { crt: pem(below, ca) });
});

test.run();
