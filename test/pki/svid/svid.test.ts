/**
 * What the condition InvalidSVID says of a certificate, against what go-spiffe says. CHAINS_SEED says where to begin, CHAINS_COUNT
 * how many certificates.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ia5Bytes, implicit, octetString, oid, sequence } from '../../../src/pki/asn1/write.ts';
import { LEAF_BASIC_CONSTRAINTS, usageExtensions } from '../../../src/pki/extensions.ts';
import { generateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { encodeName } from '../../../src/pki/name.ts';
import { encodeNames, NO_NAMES } from '../../../src/pki/san.ts';
import { svidProblems } from '../../../src/pki/svid.ts';
import { lazily } from '../../e2e/support/lazily.ts';
import { ensureProgram } from '../../programs/programs.ts';
import { hoursFromNow, P256, serial } from '../make.ts';
import { diceOf } from '../random-pki/dice.ts';
import { numberFrom, repeatCommand, seedOfRun } from '../repeat.ts';
import { startLineProcess } from '../verifiers/line-process.ts';
import { writeCertificate } from '../write-certificate.ts';
import { hostileUris, randomUsages } from './hostile-uris.ts';

const COUNT = numberFrom('CHAINS_COUNT') ?? 4_000;
const BOTH = ['digital signature', 'client auth', 'server auth'];
const ID = 'spiffe://example.com/ns/shop/sa/web';

const goSpiffe = lazily(async () => {
  const program = startLineProcess('spiffe', [await ensureProgram('spiffe')]);
  return { ...program, key: await generateKey(P256) };
});
test.after(goSpiffe.stop);

/** Why go-spiffe refuses a certificate with these URIs and usages; an empty text where it takes it. */
async function refusal(uris: readonly string[], usages: readonly string[]): Promise<string> {
  const { ask, key } = await goSpiffe.get();
  const name = encodeName({ commonName: 'client' });
  const uriNames = sequence(...uris.map((uri) => implicit(6, ia5Bytes(uri))));
  // By hand, since the product's writer refuses most of these URIs.
  const der = writeCertificate({
    issuerDer: name,
    subjectDer: name,
    publicKeyDer: publicKeyDer(key),
    notBefore: hoursFromNow(-1),
    notAfter: hoursFromNow(24),
    serialNumber: serial(),
    extensions: [
      LEAF_BASIC_CONSTRAINTS,
      ...usageExtensions(usages),
      ...(uris.length === 0 ? [] : [sequence(oid('2.5.29.17'), octetString(uriNames))]),
    ],
    signingKey: key,
  });
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  return ask(`${der.toString('base64')} ${pkcs8.toString('base64')}`);
}

/** Rules of SPIFFE that go-spiffe doesn't check, or that are gone once it has parsed the URI. */
const ONLY_OURS: readonly ((uris: readonly string[], usages: readonly string[]) => boolean)[] = [
  (_, usages) => !usages.includes('server auth'),
  // X509-SVID section 4.1: the certificate of a workload has a path.
  ([uri = '']) => /^spiffe:\/\/[^/]+$/i.test(uri),
  // SPIFFE-ID sections 2.1 and 2.3.
  ([uri = '']) => uri.length > 2_048 || /^spiffe:\/\/[^/]{256,}/i.test(uri),
  // Go's parser writes schemes in lower case, and leaves out an empty fragment.
  ([uri = '']) => /^spiffe:/i.test(uri) && !uri.startsWith('spiffe:'),
  ([uri = '']) => uri.endsWith('#'),
];

/** Whether the product issues a certificate with them: for hosts that are none it doesn't. */
function isWritten(uris: readonly string[]): boolean {
  try {
    return encodeNames({ ...NO_NAMES, uris }) !== undefined;
  } catch {
    return false;
  }
}

const isMeantForSpiffe = (uris: readonly string[]) => uris.some((uri) => /^spiffe:/i.test(uri));

test('of random URIs and usages, a certificate without the condition is an SVID for go-spiffe, and one that go-spiffe refuses has it', async () => {
  const seed = seedOfRun();
  let [good, refused, stricter] = [0, 0, 0];
  for (let at = 0; at < COUNT; at += 1) {
    const dice = diceOf(seed + at);
    const [uris, usages] = [hostileUris(dice), randomUsages(dice)];
    if (!isMeantForSpiffe(uris)) continue;
    const [theirs, ours] = [await refusal(uris, usages), svidProblems({ uris }, usages)];
    const seen = `${JSON.stringify([uris, usages])}\nours: ${ours}\ngo-spiffe: ${theirs}\n${repeatCommand('test/pki/svid/svid.test.ts', seed + at)}`;
    if (theirs !== '') {
      refused += 1;
      assert.ok(ours.length > 0 || !isWritten(uris), seen);
    } else if (ours.length > 0) {
      stricter += 1;
      assert.ok(
        ONLY_OURS.some((rule) => rule(uris, usages)),
        seen,
      );
    } else good += 1;
  }
  console.log(
    `# CHAINS_SEED=${seed}: ${good} are SVIDs, ${refused} are not, ${stricter} break a rule that go-spiffe ignores`,
  );
  assert.ok(Math.min(good, refused, stricter) > COUNT / 100);
});

test('go-spiffe takes an SVID, and each allowance is of use', async () => {
  assert.is(await refusal([ID], BOTH), '');
  for (const [uris, usages] of [
    [[ID], ['digital signature', 'client auth']],
    [['spiffe://example.com'], BOTH],
    [[`spiffe://example.com/${'a'.repeat(2_048)}`], BOTH],
    [['SPIFFE://example.com/a'], BOTH],
    [['spiffe://example.com/a#'], BOTH],
  ] as const) {
    assert.is(await refusal(uris, usages), '');
    assert.is(svidProblems({ uris }, usages).length, 1);
  }
});

test('go-spiffe refuses what it should', async () => {
  assert.match(await refusal([], BOTH), /no URI SAN/);
  assert.match(await refusal([ID, `${ID}2`], BOTH), /more than one URI SAN/);
  assert.match(await refusal([ID], ['client auth', 'server auth']), /digitalSignature/);
  assert.match(await refusal(['spiffe://Example.com/a'], BOTH), /trust domain/);
});

test.run();
