/** keytool lists, imports and exports what Certwheel writes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop, stopAll } from '../../teardown.ts';
import { P256, root } from '../make.ts';
import { KINDS, type Kind, keyEntry, keyStore, trustStore } from './stores.ts';

const PASSWORD = 'changeit';
const folder = mkdtempSync(join(tmpdir(), 'certwheel-keytool-'));
onStop(() => rm(folder, { recursive: true }));
test.after(stopAll);

function keytool(...args: readonly string[]): string {
  const options = ['-J-Duser.language=en', '-J-Duser.timezone=UTC', '-J-XX:TieredStopAtLevel=1'];
  return execFileSync('keytool', [...args, '-storepass', PASSWORD, ...options], { encoding: 'utf8', stdio: 'pipe' });
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const typeOf = (kind: Kind) => (kind === 'JKS' ? 'JKS' : 'PKCS12');

test('a key store has one entry with a private key, a trust store has trusted entries alone', async () => {
  const entry = { ...(await keyEntry(P256, 1)), alias: 'Shop' };
  const certificates = [(await root()).certificate.der, (await root()).certificate.der];
  for (const kind of KINDS) {
    const store = file(`${kind}-key`, (await keyStore(kind, entry, PASSWORD)).bytes);
    const keys = keytool('-list', '-v', '-keystore', store);
    assert.match(keys, new RegExp(`Keystore type: ${typeOf(kind)}\\b[^]*contains 1 entry[^]*Alias name: shop\\b`));
    assert.match(keys, /Entry type: PrivateKeyEntry\nCertificate chain length: 2\n/);
    // Java gives entries of PKCS#12 the time at which it reads them.
    if (kind === 'JKS') assert.match(keys, /Creation date: Jun 1, 2026/);
    const trust = file(`${kind}-trust`, (await trustStore(kind, certificates, PASSWORD)).bytes);
    const entries = keytool('-list', '-keystore', trust).match(/^ca.*Entry, $/gm) ?? [];
    assert.is(entries.length, 2);
    for (const each of entries) assert.match(each, /^ca(-1)?, .*, trustedCertEntry, $/);
  }
});

test('keytool converts each kind into the other one', async () => {
  const entry = { ...(await keyEntry(P256, 1)), alias: 'shop' };
  for (const kind of KINDS) {
    const source = file(`${kind}-source`, (await keyStore(kind, entry, PASSWORD)).bytes);
    const target = join(folder, `${kind}-target`);
    const type = kind === 'JKS' ? 'PKCS12' : 'JKS';
    keytool(
      ...['-importkeystore', '-srckeystore', source, '-srcstorepass', PASSWORD],
      ...['-destkeystore', target, '-deststoretype', type],
    );
    const exported = join(folder, `${kind}-leaf`);
    keytool('-exportcert', '-alias', 'shop', '-keystore', target, '-file', exported);
    assert.equal(readFileSync(exported), Buffer.from(entry.chain[0] ?? []));
  }
});

test.run();
