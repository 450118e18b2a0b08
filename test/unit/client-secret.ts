import { secretManifest } from '../../src/certificate/secret/manifest.ts';
import { encodePrivateKey } from '../../src/pki/keys.ts';
import { leaf, root } from '../pki/make.ts';
import { aCertificate, DAY, NOW } from './builders.ts';
import { plainly } from './rendered.ts';
import { stored } from './secret-store.ts';

/** The Secret of a client as it is stored: real certificates and a real key. */

export const ca = await root();
export const client = await leaf(ca);
export const KEY = encodePrivateKey(client.key, 'PKCS8');
export const DATA = { certificateChain: client.certificate.pem, privateKey: KEY, trustBundle: ca.certificate.pem };
export const MEMORY = {
  revision: 1,
  authority: 'CertificateAuthority/ca',
  authorityGeneration: 1,
  requestedDurationMs: DAY,
  issuedAt: NOW,
  ledger: '',
};
export const object = stored(
  secretManifest(aCertificate().build(), plainly(DATA, aCertificate().build()), MEMORY, undefined),
);
