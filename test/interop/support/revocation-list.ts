import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import type { Holder } from '../../pki/make.ts';

const CONFIGURATION = '[ca]\ndefault_ca = own\n[own]\ndatabase = index.txt\ndefault_md = sha256\n';

/** A certificate revocation list in PEM, by OpenSSL: of the CA, with these serial numbers (hex), for a day or for the past. */
export function revocationList(
  { certificate, key }: Holder,
  serials: readonly string[],
  state: 'current' | 'expired',
): string {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-crl-'));
  try {
    const revoked = serials.map((serial) => {
      const even = serial.length % 2 === 0 ? serial : `0${serial}`;
      return `R\t491231235959Z\t260101000000Z\t${even.toUpperCase()}\tunknown\t/CN=revoked\n`;
    });
    const files = {
      'ca.cnf': CONFIGURATION,
      'index.txt': revoked.join(''),
      'ca.crt': certificate.pem,
      'ca.key': encodePrivateKey(key, 'PKCS8'),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o600 });
    const dates =
      state === 'expired'
        ? ['-crl_lastupdate', '20260101000000Z', '-crl_nextupdate', '20260102000000Z']
        : ['-crldays', '1'];
    const args = ['ca', '-batch', '-config', 'ca.cnf', '-gencrl', '-keyfile', 'ca.key', '-cert', 'ca.crt', ...dates];
    return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
