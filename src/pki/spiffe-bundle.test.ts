import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makePath, named } from '../../test/pki/constrained.ts';
import { type Holder, leaf, root } from '../../test/pki/make.ts';
import { jwtKey, spiffeDocument, spiffeKey } from '../../test/unit/spiffe-document.ts';
import { NO_NAMES } from './san.ts';
import { readSpiffeBundle, serverIdProblem, trustDomainProblem } from './spiffe-bundle.ts';

const one = await root({ commonName: 'One' });
const rsa = await root({ commonName: 'Two', keySpec: { algorithm: 'RSA', size: 2048 } });
const ed25519 = await root({ commonName: 'Three', keySpec: { algorithm: 'Ed25519' } });
const namesIn = (document: unknown) => readSpiffeBundle(document).certificates.map(({ subject }) => subject.commonName);

test('the keys of the use x509-svid count, whatever their type, and those for JWTs do not', () => {
  const document = spiffeDocument([jwtKey(one), spiffeKey(one), spiffeKey(rsa), jwtKey(rsa), spiffeKey(ed25519)]);
  assert.equal(namesIn(document), ['One', 'Two', 'Three']);
  assert.is(readSpiffeBundle(document).refreshHintMs, 300_000);
});

test('a key of another use, of none, or of an unknown type is ignored', () => {
  const strangers = [{}, null, 'key', 7, spiffeKey(one, { use: 'sig' }), spiffeKey(one, { use: undefined })];
  assert.equal(namesIn(spiffeDocument([...strangers, spiffeKey(one, { kty: 'AKP' }), spiffeKey(rsa)])), ['Two']);
});

test('a refresh hint that is no positive number counts as none', () => {
  for (const hint of [0, -1, '300', null, Number.NaN])
    assert.is(readSpiffeBundle(spiffeDocument([], { spiffe_refresh_hint: hint })).refreshHintMs, undefined);
});

const der = (holder: Holder) => holder.certificate.der.toString('base64');
const BAD: Readonly<Record<string, [document: unknown, says: string]>> = {
  'no object': ['[]', 'no list "keys"'],
  'no keys': [{}, 'no list "keys"'],
  'keys that are no list': [{ keys: { 0: spiffeKey(one) } }, 'no list "keys"'],
  'a key without a certificate': [spiffeDocument([spiffeKey(one, { x5c: undefined })]), 'no certificates in x5c'],
  'a key with two certificates': [spiffeDocument([spiffeKey(one, { x5c: [der(one), der(rsa)] })]), '2 certificates'],
  'a key without a type': [spiffeDocument([spiffeKey(one, { kty: undefined })]), 'no type (kty)'],
  'a certificate in base64url': [
    spiffeDocument([spiffeKey(one, { x5c: [`${der(one)}_`] })]),
    'its certificate in x5c is no base64',
  ],
  'a certificate as PEM': [spiffeDocument([spiffeKey(one, { x5c: [one.certificate.pem] })]), 'no base64'],
  'a certificate that ends early': [
    spiffeDocument([spiffeKey(one, { x5c: [der(one).slice(0, 400)] })]),
    "its certificate in x5c can't be read",
  ],
  'a certificate of another key': [
    spiffeDocument([spiffeKey(one, { x5c: [der(rsa)] })]),
    'is another key than that of',
  ],
  'a key that is none': [spiffeDocument([spiffeKey(one, { x: 'AAAA' })]), 'no public key'],
  'too many keys': [spiffeDocument(Array(1_001).fill({ use: 'sig' })), '1001 keys, and at most 1000'],
  'too many CAs': [spiffeDocument(Array(101).fill(spiffeKey(one))), '101 keys of the use x509-svid'],
};

for (const [what, [document, says]] of Object.entries(BAD))
  test(`${what}: the whole bundle is refused`, () => {
    assert.throws(
      () => readSpiffeBundle(document),
      (error: Error) => error.message.includes(says) || assert.unreachable(error.message),
    );
  });

test('a CA with the SPIFFE ID of another trust domain does not belong to the bundle', () => {
  const problem = (...uris: string[]) => {
    const [, ca] = makePath({}, { names: { ...NO_NAMES, uris } });
    return ca && trustDomainProblem(ca, 'partner.example');
  };
  assert.is(problem(), undefined);
  assert.is(problem('spiffe://partner.example'), undefined);
  assert.match(problem('spiffe://other.example') ?? '', 'another trust domain');
  assert.match(problem('spiffe://partner.example', 'SPIFFE://partner.example.evil') ?? '', 'another trust domain');
});

test('a server shows its SPIFFE ID by one URI in a certificate that is not of a CA', async () => {
  const ID = 'spiffe://partner.example/spire/server';
  const server = (...uris: string[]) => makePath(named({ uris }), {})[0]?.der ?? Buffer.alloc(0);
  assert.is(serverIdProblem(server(ID), ID), undefined);
  assert.match(serverIdProblem(server(), ID) ?? '', 'has no SPIFFE ID');
  assert.match(serverIdProblem(server(`${ID}/other`), ID) ?? '', 'has the SPIFFE ID');
  assert.match(serverIdProblem(server(ID, 'spiffe://partner.example/x'), ID) ?? '', ' and ');
  assert.match(serverIdProblem(one.certificate.der, ID) ?? '', 'of a CA');
  assert.match(serverIdProblem(Buffer.from('no certificate'), ID) ?? '', "can't be read");
  assert.match(serverIdProblem((await leaf(one)).certificate.der, ID) ?? '', 'SPIFFE ID');
});

test.run();
