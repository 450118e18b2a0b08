import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Holder, hoursFromNow, leaf, NOW, pairOf, root, serial, signIntermediate } from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { writeCertificate } from '../../test/pki/write-certificate.ts';
import { nameConstraints } from '../../test/pki/write-extensions.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { aCertificate, aSecret } from '../../test/unit/builders.ts';
import type { CaPair } from '../pki/ca.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { caBasicConstraints, keyIdOf, subjectKeyIdExtension, usageExtensions } from '../pki/extensions.ts';
import { publicKeyDer } from '../pki/keys.ts';
import type { Consumer } from './deps.ts';
import type { Generation } from './generation.ts';
import { narrowedProblem } from './narrowed.ts';

const NAMED = { dnsNames: ['client.bad.example'] };
const SERVING = { usages: ['digital signature', 'client auth', 'server auth'] };
const SUBTREE = nameConstraints({ permitted: ['DNS:good.example'] });

function generation(pair: CaPair): Generation {
  return aGeneration(1, 'Active', pair);
}

/** The same root, made anew with other extensions. */
function renewed({ certificate, key }: Holder, usages: readonly string[], ...more: readonly Buffer[]): Holder {
  const spki = publicKeyDer(key);
  const der = writeCertificate({
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(2_000),
    serialNumber: serial(),
    issuerDer: certificate.subjectDer,
    subjectDer: certificate.subjectDer,
    publicKeyDer: spki,
    extensions: [
      caBasicConstraints(),
      ...usageExtensions(['cert sign', ...usages]),
      subjectKeyIdExtension(keyIdOf(spki)),
      ...more,
    ],
    signingKey: key,
  });
  return { certificate: parseCertificate(der), key };
}

/** Holds a certificate that `ca` signed. */
function holding(ca: Holder, spec: object, notAfter = hoursFromNow(24)): Consumer {
  const resource = aCertificate(spec).build();
  const issuerFingerprint = ca.certificate.fingerprintSHA256;
  return { resource, secret: aSecret(resource, { certificate: { issuerFingerprint, notAfter } }) };
}

const narrowed = (next: CaPair, before: CaPair, ...consumers: readonly Consumer[]) =>
  narrowedProblem(next, [generation(before)], () => consumers, NOW);

const old = await root();
const below = await signIntermediate(old);

for (const [what, spec, next] of [
  ['a DNS name', NAMED, renewed(old, [], SUBTREE)],
  ['a usage', SERVING, renewed(old, ['client auth'])],
] as const)
  test(`a root renewed under its key that forbids ${what} of a client that runs is refused, as OpenSSL refuses the client`, async () => {
    const { identity } = aCertificate(spec).build().spec;
    const { certificate } = await leaf(old, identity);
    const purpose = 'usages' in spec ? 'sslserver' : 'sslclient';
    const at = String(NOW.getTime() / 1000);
    const args = ['verify', '-attime', at, '-purpose', purpose, '-CAfile', '{root}', '{leaf}'];
    assert.ok(openssl(args, { root: old.certificate.pem, leaf: certificate.pem }).ok);
    assert.not.ok(openssl(args, { root: next.certificate.pem, leaf: certificate.pem }).ok);
    const problem = await narrowed(pairOf(next), pairOf(old), holding(old, spec));
    assert.match(
      problem ?? '',
      /has the key and the name of the root of generation 1, and forbids what team\/client holds/,
    );
  });

test('the same above an intermediate is refused too', async () => {
  const next = pairOf(below, renewed(old, [], SUBTREE));
  assert.ok(await narrowed(next, pairOf(below, old), holding(below, NAMED)));
});

test('a renewed root that permits what each client holds is accepted', async () => {
  const next = pairOf(renewed(old, ['client auth'], SUBTREE));
  assert.is(await narrowed(next, pairOf(old), holding(old, { dnsNames: ['a.good.example'] })), undefined);
  assert.is(await narrowed(pairOf(renewed(old, [])), pairOf(old), holding(old, NAMED)), undefined);
});

test('what no verifier leads to the renewed root does not count', async () => {
  const next = pairOf(renewed(old, [], SUBTREE));
  const expired = holding(old, NAMED, hoursFromNow(-1));
  const foreign = holding(below, NAMED);
  const none = { resource: aCertificate(NAMED).build(), secret: undefined };
  assert.is(await narrowed(next, pairOf(old), expired, foreign, none), undefined);
  const otherKey = await root({ notAfter: hoursFromNow(900) });
  assert.is(await narrowed(pairOf(renewed(otherKey, [], SUBTREE)), pairOf(old), holding(old, NAMED)), undefined);
});

test('a pair that is a generation already, and one that forbids no more than before, go on', async () => {
  const strict = pairOf(renewed(old, [], SUBTREE));
  assert.is(await narrowed(strict, strict, holding(old, NAMED)), undefined);
  const again = renewed(old, [], SUBTREE);
  assert.is(
    await narrowed(pairOf(again), strict, holding({ ...old, certificate: strict.certificate }, NAMED)),
    undefined,
  );
});

test.run();
