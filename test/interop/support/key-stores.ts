import { createPrivateKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import type { Pkcs12Profile } from '../../../src/pki/keystores/encryption.ts';
import { encodeJks, encodeJksTrustStore } from '../../../src/pki/keystores/jks.ts';
import { encodePkcs12, encodePkcs12TrustStore } from '../../../src/pki/keystores/pkcs12.ts';
import { onStop } from '../../teardown.ts';
import type { Credentials } from './authority.ts';

const PASSWORD = 'changeit';

/** A file with the password, as mounted from the Secret that `passwordSecretRef` names. */
export function passwordFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-interop-password-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'password'), PASSWORD, { mode: 0o600 });
  return join(folder, 'password');
}

/** The entries of the Secret that `spec.keystores` adds. */
export async function keyStores(
  { certificate, key, ca }: Credentials,
  profile: Pkcs12Profile | 'JKS' = 'Modern2023',
): Promise<Readonly<Record<string, Uint8Array>>> {
  const ders = (pem: string) => parseCertificates(pem).map(({ der }) => der);
  const entry = {
    privateKeyPkcs8: createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }),
    chain: ders(certificate),
    alias: 'certificate',
    password: PASSWORD,
    randomBytes,
  };
  const trusted = { certificates: ders(ca), password: PASSWORD, randomBytes };
  if (profile === 'JKS') {
    const now = new Date();
    return {
      'keystore.jks': encodeJks({ ...entry, now }),
      'truststore.jks': encodeJksTrustStore({ ...trusted, now }),
    };
  }
  return {
    'keystore.p12': await encodePkcs12({ ...entry, profile }),
    'truststore.p12': await encodePkcs12TrustStore({ ...trusted, profile }),
  };
}
