import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Issued } from '../../../src/backends/backend.ts';
import { parsePkcs11Uri } from '../../../src/backends/pkcs11/uri.ts';
import { CRL_LABEL, revokedEntry, signCrl } from '../../../src/pki/crl.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { signingGenerations } from '../../../src/revocation/crl/signing-generations.ts';
import { aGeneration } from '../../unit/a-generation.ts';
import { issueRequest } from '../../unit/issue-request.ts';
import { opensslSays } from '../../unit/responder-world.ts';
import { lazily } from '../support/lazily.ts';
import { makeCa, opensslVerify } from '../support/openssl.ts';
import { direct, failure, issue, newToken, started } from './pkcs11-direct.ts';
import { type NewKey, startSoftHsm, type TokenAccess } from './servers/pkcs11.ts';

const TOKEN: TokenAccess = { token: 'shop ca; ü%', pin: 'p1n ü' };
const TOKEN_URI = 'token=shop%20ca%3B%20%C3%BC%25';
const { signal } = new AbortController();

const shared = lazily(async () => {
  const hsm = await startSoftHsm('');
  await hsm.addToken(TOKEN.token, TOKEN.pin);
  return hsm;
});
test.after(shared.stop);

/** A key with its certificate, in the token that all of these tests share. */
async function caKey(key: NewKey, attributes = `object=${key.label}`) {
  const hsm = await shared.get();
  await hsm.addKey(TOKEN, key);
  const uri = `pkcs11:${TOKEN_URI};${attributes}`;
  const certificate = await hsm.selfSign(uri, TOKEN.pin, `/CN=HSM ${key.id}`);
  return { hsm, uri, pin: TOKEN.pin, certificate };
}

/** A token of its own, for a test that breaks its PIN. */
const ownToken = async (name: string) => newToken(await shared.get(), name);

for (const [type, algorithm] of [
  ['EC:prime256v1', 'ecdsa-with-SHA256'],
  ['EC:secp384r1', 'ecdsa-with-SHA384'],
  ['EC:secp521r1', 'ecdsa-with-SHA512'],
  ['rsa:2048', 'sha256WithRSAEncryption'],
  ['rsa:3072', 'sha256WithRSAEncryption'],
] as const) {
  test(`a key of type ${type} signs, and OpenSSL accepts each of 20 certificates`, async () => {
    const id = Buffer.from(type).toString('hex').slice(-8);
    const { hsm, ...given } = await caKey({ label: `key ${type}`, id, type }, `id=%${id.match(/../g)?.join('%')}`);
    const here = await started(hsm, given);
    await here.backend.check(signal);
    for (let n = 0; n < 20; n++) {
      const { chain } = (await here.backend.issue(await issueRequest(`client ${n}`), signal)) as Issued;
      await opensslVerify(chain.map(({ pem }) => pem).join(''), given.certificate);
      assert.is(chain[0]?.signatureAlgorithm, algorithm);
    }
  });
}

for (const [id, type] of Object.entries({ c1: 'EC:prime256v1', c2: 'EC:secp384r1', c3: 'rsa:2048' }))
  test(`a key of type ${type} signs a CRL that OpenSSL verifies`, async () => {
    const { hsm, ...given } = await caKey({ label: `crl-${id}`, id, type });
    const { backend, signing } = await started(hsm, given);
    if (signing === undefined) throw new Error('no CA');
    const generation = aGeneration(1, 'Active', signing.path, { issuerRef: signing.ref });
    const [found] = signingGenerations({ generations: [generation], backend });
    if (found === undefined) throw new Error('it can sign no CRL');
    const now = new Date();
    const crl = await signCrl({
      ca: { certificate: signing.path.certificate, signer: found.signer },
      number: 1n,
      thisUpdate: now,
      nextUpdate: new Date(now.getTime() + 3_600_000),
      entries: [revokedEntry({ serialNumber: '1234', revokedAt: now, reasonCode: 1 })],
    });
    const files = { ca: given.certificate, crl: toPem(CRL_LABEL, crl) };
    assert.match(await opensslSays(files, ['crl', '-in', 'crl', '-CAfile', 'ca', '-noout']), 'verify OK');
  });

test('a key that asks for the PIN at each signature gets it, for a CA below a root that is elsewhere', async () => {
  const hsm = await shared.get();
  await hsm.addKey(TOKEN, { label: 'always', id: '0a', options: ['--always-auth'] });
  const root = await makeCa('Offline root');
  // OpenSSL's engine knows no such keys, so the public key is signed by the root.
  const certificate = await hsm.sh(
    `printf %s "$ROOT" > root.crt; printf %s "$ROOT_KEY" > root.key
     pkcs11-tool --module "$MODULE" --token-label "$TOKEN" --read-object --type pubkey --label always -o always.der >/dev/null
     openssl pkey -pubin -inform DER -in always.der -out always.pem
     printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid' > ca.ext
     openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj '/CN=Below' -out any.csr
     OPENSSL_CONF=/dev/null openssl x509 -req -in any.csr -CA root.crt -CAkey root.key -force_pubkey always.pem -days 99 -extfile ca.ext`,
    { TOKEN: TOKEN.token, ROOT: root.certificate, ROOT_KEY: root.key },
  );
  const uri = `pkcs11:${TOKEN_URI};object=always`;
  const here = await started(hsm, { uri, pin: TOKEN.pin, certificate: `${certificate}${root.certificate}` });
  assert.is(here.signing?.path.chain.length, 2);
  for (let n = 0; n < 3; n++) await issue(here);
});

test('a key that the token would export is reported, and one that it keeps is not', async () => {
  const { hsm, ...given } = await caKey({ label: 'loose', id: '0b', options: ['--extractable'] });
  const loose = await started(hsm, given);
  await loose.backend.check(signal);
  assert.match(loose.backend.warning?.() ?? '', 'the key object loose is extractable (CKA_EXTRACTABLE)');
  const { hsm: _, ...kept } = await caKey({ label: 'kept', id: '0c' });
  const tight = await started(hsm, kept);
  await tight.backend.check(signal);
  assert.is(tight.backend.warning?.(), undefined);
});

test('labels and ids of any bytes are found as OpenSSL finds them by the same URI', async () => {
  const hsm = await shared.get();
  const rows: readonly NewKey[] = [
    { label: 'a;b=c?d&e/f', id: '3b3d3f26' },
    { label: '100% ü 日本', id: '00ff25' },
    { label: 'it\'s "quoted" #1', id: 'fe' },
  ];
  for (const key of rows) {
    await hsm.addKey(TOKEN, key);
    // As escaped as it can be: the engine reads no reserved characters, though RFC 7512 allows some.
    const id = key.id.replaceAll(/../g, '%$&');
    const uri = `pkcs11:${TOKEN_URI};object=${encodeURIComponent(key.label)};id=${id};type=private`;
    assert.equal(parsePkcs11Uri(uri).key, { object: key.label, id: key.id });
    // OpenSSL's engine chooses the key by the URI, and the proof is that ours is the same key.
    const certificate = await hsm.selfSign(uri, TOKEN.pin, '/CN=Odd names');
    const here = await started(hsm, { uri, pin: TOKEN.pin, certificate });
    assert.ok(new X509Certificate((await issue(here)).der).verify(new X509Certificate(certificate).publicKey));
  }
});

test('many at once log in once, and none is lost', async () => {
  const { hsm, ...given } = await ownToken('many');
  const here = await started(hsm, given);
  const before = hsm.logins();
  const leaves = await Promise.all(Array.from({ length: 40 }, (_, n) => issue(here, `client ${n}`)));
  assert.is(new Set(leaves.map(({ serialNumber }) => serialNumber)).size, 40);
  assert.is(hsm.logins(), before);
});

test('a token that comes back is logged in to again within the same request', async () => {
  const { hsm, ...given } = await ownToken('returns');
  const here = await started(hsm, given);
  await issue(here);
  hsm.takeAway();
  const { code, message } = await failure(issue(here));
  hsm.putBack();
  assert.equal(
    [code, message],
    ['AuthorityUnavailable', 'the token (token returns) failed: CKR_GENERAL_ERROR of C_Initialize'],
  );
  await issue(here);
  // Gone and back unnoticed: the session and the handle of the key are those of before.
  hsm.takeAway();
  hsm.putBack();
  await issue(here);
});

test('a mistake in the next CA stops nothing: the one that signs goes on, and the mistake is told', async () => {
  const { hsm, ...given } = await ownToken('mistaken');
  const here = await started(hsm, given);
  const { certificate } = await ownToken('mistaken-2');
  here.objects.set('hsm-ca', { 'tls.crt': certificate });
  const { offered, refusal } = await here.backend.trust(signal);
  assert.is(offered, undefined);
  assert.match(refusal?.message ?? '', "the token's key (object ca) is not the key of CN=mistaken-2");
  await here.backend.check(signal);
  await issue(here);
});

test('a reference of a generation that was forged names no other token, and its key signs nothing', async () => {
  const { hsm, ...given } = await ownToken('forged');
  await hsm.addKey({ token: 'forged', pin: given.pin }, { label: 'mine', id: '09' });
  const here = await started(hsm, given);
  const offered = here.signing;
  assert.ok(offered);
  here.signing = { ...offered, ref: 'pkcs11:object=mine' };
  const { code, message } = await failure(issue(here));
  assert.is(code, 'CAPairRefused');
  assert.match(message, 'the key object mine of the token is not that of the CA certificate CN=forged');
  here.signing = { ...offered, ref: 'no uri' };
  assert.match((await failure(issue(here))).message, 'the annotation of a CA generation that names its key is damaged');
});

test('an image without the addon says so, and so does one whose library is missing or broken', async () => {
  const { hsm, ...given } = await ownToken('unsupported');
  const refusal = (rules: object) => failure(direct(hsm, { ...given, hsm: rules }).backend.trust(signal));
  for (const [rules, says] of [
    [{ addon: undefined }, 'this image has no PKCS#11 support; install Certwheel with the image certwheel-pkcs11'],
    [{ library: undefined }, 'start Certwheel with --pkcs11-module'],
    [{ library: '/nowhere/libhsm.so' }, 'the PKCS#11 library /nowhere/libhsm.so of --pkcs11-module can not be loaded'],
    [{ library: '/etc/hostname' }, 'can not be loaded'],
    [{ addon: '/nowhere' }, 'pkcs11js can not be loaded'],
  ] as const) {
    const { code, message } = await refusal(rules);
    assert.equal([code, message.includes(says)], ['BackendDisabled', true], message);
  }
});

test.run();
