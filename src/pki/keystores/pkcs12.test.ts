import { createHash, randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { leaf, root } from '../../../test/pki/make.ts';
import { openssl } from '../../../test/pki/openssl.ts';
import type { Pkcs12Profile } from './encryption.ts';
import type { RandomBytes } from './entries.ts';
import { encodePkcs12, encodePkcs12TrustStore } from './pkcs12.ts';

const PROFILES: readonly Pkcs12Profile[] = ['Modern2023', 'LegacyDES', 'LegacyRC2'];
const password = 'changeit';
const ca = await root();
const client = await leaf(ca);
const entry = {
  privateKeyPkcs8: client.key.export({ type: 'pkcs8', format: 'der' }),
  chain: [client.certificate.der, ca.certificate.der],
  alias: 'Größe',
  password,
};
const certificates = [ca.certificate.der];

/** The same bytes for each run of a test; `asked` lists the sizes. */
function countedBytes(): { randomBytes: RandomBytes; asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    randomBytes(size) {
      asked.push(size);
      return createHash('shake256', { outputLength: size }).update(`${asked.length}`).digest();
    },
  };
}

const info = (store: Buffer) =>
  openssl(['pkcs12', '-legacy', '-in', '{store}', '-passin', `pass:${password}`, '-info', '-nodes'], { store });

test('each profile has the algorithms and the rounds that it stands for', async () => {
  const expected: Readonly<Record<Pkcs12Profile, readonly [mac: string, certificates: string, key: string]>> = {
    Modern2023: [
      'sha256',
      'PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256',
      'PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256',
    ],
    LegacyDES: [
      'sha1',
      'pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048',
      'pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048',
    ],
    LegacyRC2: [
      'sha1',
      'pbeWithSHA1And40BitRC2-CBC, Iteration 2048',
      'pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048',
    ],
  };
  for (const profile of PROFILES) {
    const [mac, ofCertificates, ofKey] = expected[profile];
    const { text } = info(await encodePkcs12({ ...entry, profile, randomBytes }));
    for (const line of [`MAC: ${mac}, Iteration 2048`, `data: ${ofCertificates}\n`, `Keybag: ${ofKey}\n`])
      assert.ok(text.includes(line), line);
  }
});

test('Modern2023 is the profile unless one is given', async () => {
  const [first, second] = [countedBytes(), countedBytes()];
  assert.equal(
    await encodePkcs12({ ...entry, randomBytes: first.randomBytes }),
    await encodePkcs12({ ...entry, profile: 'Modern2023', randomBytes: second.randomBytes }),
  );
});

test('the key and its certificate have one local key id, and no other certificate has any', async () => {
  const { out } = info(await encodePkcs12({ ...entry, randomBytes }));
  const ids = [...out.matchAll(/localKeyID: ([0-9A-F ]+)/g)].map(([, id]) => id);
  assert.is(ids.length, 2);
  assert.is(ids[0], ids[1]);
});

test('each certificate of a trust store has the attribute that makes it trusted in Java', async () => {
  const { out } = info(
    await encodePkcs12TrustStore({ certificates: [...certificates, ...certificates], password, randomBytes }),
  );
  assert.is(out.match(/2\.16\.840\.1\.113894\.746875\.1\.1/g)?.length, 2);
  assert.not.match(out, /localKeyID/);
});

test('the bytes follow from the arguments, and every salt and vector is drawn anew', async () => {
  const sizes: Readonly<Record<Pkcs12Profile, readonly number[]>> = {
    Modern2023: [16, 16, 16, 16, 16],
    LegacyDES: [8, 8, 8],
    LegacyRC2: [8, 8, 8],
  };
  for (const profile of PROFILES) {
    const runs = [countedBytes(), countedBytes()];
    const stores = [];
    for (const run of runs) stores.push(await encodePkcs12({ ...entry, profile, randomBytes: run.randomBytes }));
    assert.equal(stores[0], stores[1]);
    assert.equal(runs[0]?.asked, sizes[profile]);
    assert.not.equal(stores[0], await encodePkcs12({ ...entry, profile, randomBytes }));
  }
});

test('Node takes it as pfx, and refuses a wrong passphrase', async () => {
  // Not LegacyRC2: Node has no RC2.
  for (const profile of ['Modern2023', 'LegacyDES'] as const) {
    const pfx = await encodePkcs12({ ...entry, profile, randomBytes });
    createSecureContext({ pfx, passphrase: password });
    assert.throws(() => createSecureContext({ pfx, passphrase: 'changeIt' }), /mac verify failure/);
  }
});

test('many stores at once are all right', async () => {
  const stores = await Promise.all(Array.from({ length: 20 }, () => encodePkcs12({ ...entry, randomBytes })));
  for (const pfx of stores) createSecureContext({ pfx, passphrase: password });
});

test('what some reader cannot take is refused, and the message holds no password', async () => {
  const refusals: readonly (readonly [Promise<Buffer>, RegExp])[] = [
    [encodePkcs12({ ...entry, alias: '', randomBytes }), /alias is empty/],
    [encodePkcs12({ ...entry, chain: [], randomBytes }), /without a certificate/],
    [encodePkcs12({ ...entry, password: 'sécret', randomBytes }), /not printable ASCII/],
    [encodePkcs12TrustStore({ certificates, password: 'sécret', randomBytes }), /not printable ASCII/],
    [encodePkcs12TrustStore({ certificates: [], password, randomBytes }), /without a certificate/],
  ];
  for (const [refused, message] of refusals) {
    const error = await refused.then(
      () => undefined,
      (reason: Error) => reason,
    );
    assert.match(error?.message ?? '', message);
    assert.not.match(error?.message ?? '', /cret/);
  }
});

test.run();
