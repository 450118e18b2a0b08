import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  altered,
  alteredDer,
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
import { caBasicConstraints, subjectKeyIdExtension } from './extensions.ts';
import { rsaExponent } from './keys.ts';
import { findPath, issuersProblem } from './path.ts';

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
const view = (pem: string): CertificateView => parseCertificates(pem)[0] ?? client.certificate;

test('what has signed itself leads nowhere, and the way past it is found', () => {
  const decoy = view(namesake(honest));
  assert.ok(decoy.selfSigned);
  assert.is(findPath(client.certificate, [decoy], [top.certificate]), undefined);
  const chain = [client.certificate, decoy, intermediate.certificate];
  assert.equal(wayToAnchor(chain, [top.certificate]), [client.certificate, intermediate.certificate]);
  assert.equal(wayToAnchor(chain, [decoy]), [client.certificate]);
  assert.equal(wayToAnchor(chain, []), []);
  assert.equal(wayToAnchor([], [top.certificate]), []);
});

/** Why the leaf of that issuer is no good; undefined where no way leads up from it. */
function problemBelow(issuer: Issuer): string | undefined {
  const path = findPath(
    view(altered(honest, { issuer })),
    [issuer.certificate, intermediate.certificate],
    [top.certificate],
  );
  return path === undefined ? 'no way' : issuersProblem(path.slice(1), new Date());
}

test('an RSA key for which anybody can sign is refused by name, one that takes its time verifies nothing', () => {
  assert.is(problemBelow(belowWith(honest, {})), undefined);
  const forged = belowOfExponentOne(honest);
  assert.is(problemBelow(forged), 'CN=below has an RSA key with the public exponent 1; at least 65537 is needed');
  assert.is(rsaExponent(forged.certificate.publicKeyDer), 1n);
  const slow = belowOfLongExponent(honest);
  assert.is(slow.certificate.keySpec, undefined);
  assert.is(problemBelow(slow), 'no way');
});

test('only so many signatures are verified', () => {
  const twin = (serialNumber: number) =>
    parseCertificate(
      alteredDer(honest, {
        subject: { commonName: 'many' },
        usages: ['cert sign'],
        basicConstraints: caBasicConstraints(),
        serialNumber: Buffer.of(1, serialNumber),
        more: [subjectKeyIdExtension(Buffer.of(1))],
      }),
    );
  const wrong = Array.from({ length: 40 }, (_, at) => twin(at));
  const own = belowWith(honest, { subject: { commonName: 'many' }, more: [subjectKeyIdExtension(Buffer.of(1))] });
  const tip = view(altered(honest, { issuer: own }));
  assert.is(findPath(tip, [], [...wrong.slice(0, 20), own.certificate])?.at(-1), own.certificate);
  assert.is(findPath(tip, [], [...wrong, own.certificate]), undefined);
});

test('a name of any length is told in short', async () => {
  const long = await signIntermediate(top, { ...life, commonName: 'x'.repeat(64), extensions: [] });
  const organizations = Array.from({ length: 20 }, () => 'y'.repeat(60));
  const issuer = belowWith(honest, { subject: { organizations } });
  assert.match(issuersProblem([long.certificate], undefined) ?? '', /^CN=x{64} is not a CA$/);
  const notCa = { ...issuer.certificate, isCA: false };
  assert.match(issuersProblem([notCa], undefined) ?? '', /^.{200}\.\.\. is not a CA$/);
});

test.run();
