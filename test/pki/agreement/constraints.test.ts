/** Name constraints and usages of CAs, against OpenSSL, Go and Java. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { below, type CaContent, type LeafContent, makePath, named } from '../constrained.ts';
import { refusalOf } from '../verifiers/judges.ts';
import type { Subtrees } from '../write-extensions.ts';
import { ask, judges, leafProblem } from './ask.ts';

test.after(judges.stop);

const NOTHING: CaContent = {};

/** Each as [leaf, subtrees, whether OpenSSL, Go and Java all accept]. */
const CASES: readonly (readonly [LeafContent, Subtrees, boolean])[] = [
  [named({ dnsNames: ['ZOO.example'] }), { permitted: ['DNS:zoo.EXAMPLE'] }, true],
  [named({ dnsNames: ['a.zoo.example'] }), { permitted: ['DNS:zoo.example'] }, true],
  [named({ dnsNames: ['azoo.example'] }), { permitted: ['DNS:zoo.example'] }, false],
  [named({ dnsNames: ['zoo.example'] }), { permitted: ['DNS:.zoo.example'] }, false],
  [named({ dnsNames: ['a.zoo.example'] }), { permitted: ['DNS:.zoo.example'] }, true],
  [named({ dnsNames: ['*.zoo.example'] }), { permitted: ['DNS:zoo.example'] }, true],
  [named({ dnsNames: ['*.zoo.example'] }), { excluded: ['DNS:a.zoo.example'] }, false],
  [named({ dnsNames: ['zoo.example', 'b.example'] }), { permitted: ['DNS:zoo.example', 'DNS:b.example'] }, true],
  [named({ dnsNames: ['a.zoo.example'] }), { permitted: ['DNS:zoo.example'], excluded: ['DNS:a.zoo.example'] }, false],
  [named({ dnsNames: ['a.example'] }), { permitted: ['DNS:'] }, false],
  [named({ ipAddresses: ['192.0.2.1'] }), { permitted: ['DNS:'] }, true],
  [named({ uris: ['spiffe://zoo.example/a'] }), { permitted: ['URI:zoo.example'] }, true],
  [named({ uris: ['spiffe://a.zoo.example/a'] }), { permitted: ['URI:zoo.example'] }, false],
  [named({ uris: ['spiffe://a.zoo.example/a'] }), { permitted: ['URI:.zoo.example'] }, true],
  [named({ uris: ['spiffe://a.zoo.example/a'] }), { excluded: ['URI:zoo.example'] }, false],
  [named({ uris: ['https://zoo.example:8443/a'] }), { permitted: ['URI:zoo.example'] }, true],
  [named({ uris: ['spiffe://zoo.example/a:b'] }), { permitted: ['URI:zoo.example'] }, false],
  [named({ uris: ['urn:zoo'] }), { permitted: ['DNS:zoo.example'] }, false],
  [named({ uris: ['https://192.0.2.1/'] }), { permitted: ['DNS:zoo.example'] }, false],
  [named({ emailAddresses: ['a@zoo.example'] }), { permitted: ['email:zoo.example'] }, true],
  [named({ emailAddresses: ['a@b.zoo.example'] }), { permitted: ['email:zoo.example'] }, false],
  [named({ emailAddresses: ['a@b.zoo.example'] }), { permitted: ['email:.zoo.example'] }, true],
  [named({ emailAddresses: ['a@ZOO.example'] }), { permitted: ['email:a@zoo.example'] }, true],
  [named({ emailAddresses: ['A@zoo.example'] }), { permitted: ['email:a@zoo.example'] }, false],
  [named({ emailAddresses: ['A@zoo.example'] }), { excluded: ['email:a@zoo.example'] }, false],
  [named({ ipAddresses: ['10.1.2.3'] }), { permitted: ['IP:10.0.0.0/255.0.0.0'] }, true],
  [named({ ipAddresses: ['11.1.2.3'] }), { permitted: ['IP:10.0.0.0/255.0.0.0'] }, false],
  [named({ ipAddresses: ['2001:db8::1'] }), { permitted: ['IP:10.0.0.0/255.0.0.0'] }, false],
  [named({ ipAddresses: ['2001:db8::1'] }), { excluded: ['IP:2001:db8::/ffff:ffff::'] }, false],
  [named({ ipAddresses: ['10.1.2.3'] }), { permitted: ['IP:10.1.1.1/255.0.0.0'] }, false],
  [named({ ipAddresses: ['10.1.2.3'] }), { permitted: ['IP:10.0.0.0/255.0.0.0', 'IP:::/::'] }, true],
  [named({ ipAddresses: ['10.1.2.3'] }), { permitted: ['IP:::/::', 'IP:10.0.0.0/255.0.0.0'] }, false],
  [named({ ipAddresses: ['10.1.2.3'] }), { permitted: ['IP:10.0.0.0/255.0.0.0'], excluded: ['IP:::/::'] }, false],
  [named({ ipAddresses: ['2001:db8::1'] }), { excluded: ['IP:0.0.0.0/0.0.0.0'] }, false],
  [named({ ipAddresses: ['2001:db8::1'] }), { excluded: ['IP:10.0.0.0/255.0.0.0'] }, true],
  [named({}, { commonName: 'a.b.example' }), { permitted: ['DNS:zoo.example'] }, false],
  [named({}, { commonName: 'client' }), { permitted: ['DNS:zoo.example'] }, false],
  [named({}, { commonName: 'the client' }), { permitted: ['DNS:zoo.example'] }, true],
  [named({ dnsNames: ['zoo.example'] }, { commonName: 'a.b.example' }), { permitted: ['DNS:zoo.example'] }, true],
  [named({}, { commonName: '192.0.2.1' }), { permitted: ['IP:10.0.0.0/255.0.0.0'] }, false],
];

test('DNS, URI, mail and IP subtrees allow exactly what OpenSSL, Go and Java allow together', async () => {
  for (const [leaf, subtrees, accepted] of CASES) {
    const what = JSON.stringify([leaf, subtrees]);
    const path = makePath(leaf, below(subtrees), NOTHING);
    const theirs = refusalOf(await ask(path));
    assert.is(theirs === null, accepted, `${what}: ${theirs}`);
    assert.is(leafProblem(path) === undefined, accepted, what);
  }
});

test('a common name of one label is bound by CAs below the anchor alone, since Java reads no constraints of an anchor', async () => {
  const permitting = below({ permitted: ['DNS:zoo.example'] });
  const leaf: LeafContent = { subject: { commonName: 'client' } };
  const path = makePath(leaf, NOTHING, permitting);
  assert.is(leafProblem(path), undefined);
  assert.is(refusalOf(await ask(path)), null);
  assert.match(
    leafProblem(makePath(leaf, permitting, NOTHING))?.problem ?? '',
    /^commonName holds "client" \(Java takes it for a DNS name where there are no dnsNames\), which is outside/,
  );
});

test("a leaf asked for with usages of cert-manager's second names is judged by what they mean", async () => {
  const path = makePath(
    { usages: ['email protection', 'client auth'] },
    { usages: ['client auth', 'email protection'] },
    {},
  );
  assert.is(refusalOf(await ask(path)), null);
  const [leaf, ...issuers] = path;
  assert.ok(leaf);
  assert.is(leafProblem([{ ...leaf, usages: ['signing', 's/mime'] }, ...issuers]), undefined);
});

test.run();
