import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  altered,
  belowOfExponentOne,
  belowOfLongExponent,
  belowWith,
  type Honest,
  type Issuer,
  inHours,
  namesake,
} from '../../test/forgeries/forging.ts';
import { leaf, root, signIntermediate } from '../../test/pki/make.ts';
import { type CertificateView, parseCertificate, parseCertificates } from './certificate.ts';
import { wayToAnchor } from './chain.ts';
import { rsaExponent } from './keys.ts';
import { encodeName } from './name.ts';
import { findPath, issuersProblem, TOO_MANY } from './path.ts';
import { isSelfSigned } from './signed-by.ts';

const life = { notBefore: inHours(-1), notAfter: inHours(1_000) };
const top = await root(life);
const intermediate = await signIntermediate(top, life);
const client = await leaf(intermediate, { notBefore: inHours(-1), notAfter: inHours(1) });
const honest: Honest = {
  leaf: client.certificate,
  intermediate: intermediate.certificate,
  root: top.certificate,
  key: intermediate.key,
  heldSerial: '01',
};
const now = inHours(0);
const view = (pem: string): CertificateView => parseCertificates(pem)[0] ?? client.certificate;

test('what has signed itself leads nowhere, and the way past it is found', () => {
  const decoy = view(namesake(honest));
  assert.ok(isSelfSigned(decoy));
  assert.is(findPath(client.certificate, [decoy], [top.certificate], now).path, undefined);
  const chain = [client.certificate, decoy, intermediate.certificate];
  assert.equal(wayToAnchor(chain, [top.certificate], now), [client.certificate, intermediate.certificate]);
  assert.equal(wayToAnchor(chain, [decoy], now), [client.certificate]);
  assert.equal(wayToAnchor(chain, [], now), []);
  assert.equal(wayToAnchor([], [top.certificate], now), []);
});

test('OpenSSL takes a CA for a root where the name of its issuer differs in spelling alone, and no key id differs', () => {
  const { certificate } = intermediate;
  const shouting = encodeName({ commonName: certificate.subjectText.slice('CN='.length).toUpperCase() });
  const respelled = { ...certificate, issuerDer: shouting, authorityKeyId: undefined };
  assert.match(issuersProblem([respelled, top.certificate]) ?? '', /so OpenSSL takes it for a root$/);
  assert.is(issuersProblem([{ ...respelled, authorityKeyId: '00' }, top.certificate]), undefined);
});

test('a root under another spelling of its name, which OpenSSL passes over, is taken for nothing', () => {
  const { certificate } = top;
  const shouting = encodeName({ commonName: 'TEST CA V1', organizations: ['Certwheel'] });
  const respelled = { ...certificate, subjectDer: shouting, authorityKeyId: undefined };
  assert.is(issuersProblem([intermediate.certificate, respelled, certificate]), undefined);
});

test('critical CRL distribution points of a root under another spelling of its name are not read by Java', () => {
  const { certificate } = top;
  const shouting = encodeName({ commonName: 'TEST CA V1', organizations: ['Certwheel'] });
  const respelled = { ...certificate, subjectDer: shouting, unknownCritical: ['2.5.29.31'] };
  const problem = (...path: CertificateView[]) => issuersProblem([intermediate.certificate, ...path, certificate]);
  assert.is(problem(respelled), undefined);
  assert.match(problem({ ...respelled, subjectDer: encodeName({ commonName: 'Other' }) }) ?? '', /which Java refuses$/);
  assert.match(problem({ ...respelled, unknownCritical: ['1.2.3'] }) ?? '', /unknown critical extension 1\.2\.3$/);
});

/** Why the leaf of that issuer is no good; undefined where no path leads up from it. */
function problemBelow(issuer: Issuer): string | undefined {
  const { path } = findPath(
    view(altered(honest, { issuer })),
    [issuer.certificate, intermediate.certificate],
    [top.certificate],
    now,
  );
  return path === undefined ? 'no path' : issuersProblem(path.slice(1));
}

test('an RSA key whose signatures can be forged is refused by name, one that takes long verifies nothing', () => {
  assert.is(problemBelow(belowWith(honest, {})), undefined);
  const forged = belowOfExponentOne(honest);
  assert.is(problemBelow(forged), 'CN=below has an RSA key with the public exponent 1; at least 65537 is needed');
  assert.is(rsaExponent(forged.certificate.publicKeyDer), 1n);
  const slow = belowOfLongExponent(honest);
  assert.is(slow.certificate.keySpec, undefined);
  assert.is(problemBelow(slow), 'no path');
});

test('only so many signatures are verified', async () => {
  const spec = { algorithm: 'ECDSA', size: 521 } as const;
  const many = { commonName: 'many', keySpec: spec, ...life };
  const owner = await root(many);
  const { subjectKeyId } = owner.certificate;
  const others = await Promise.all(Array.from({ length: 20 }, () => root(many)));
  const wrong = others.map(({ certificate }) => ({ ...certificate, subjectKeyId, notAfter: inHours(2_000) }));
  const tip = await leaf(owner, { notBefore: inHours(-1), notAfter: inHours(1) });
  const anchors = (count: number) => [...wrong.slice(0, count), owner.certificate];
  assert.is(findPath(tip.certificate, [], anchors(5), now).path?.at(-1), owner.certificate);
  const later = parseCertificate(tip.certificate.der);
  assert.is(findPath(later, [], anchors(20), now).problem, TOO_MANY);
});

test('a name of any length is shortened', async () => {
  const long = await signIntermediate(top, { ...life, commonName: 'x'.repeat(64), extensions: [] });
  const organizations = Array.from({ length: 20 }, () => 'y'.repeat(60));
  const issuer = belowWith(honest, { subject: { organizations } });
  assert.match(issuersProblem([long.certificate]) ?? '', /^CN=x{64} is not a CA$/);
  const notCa = { ...issuer.certificate, isCA: false };
  assert.match(issuersProblem([notCa]) ?? '', /^.{200}\.\.\. is not a CA$/);
});

test.run();
