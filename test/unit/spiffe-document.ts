/** SPIFFE bundles as documents, for tests: good ones, and what an endpoint may answer in their place. */
import { createPublicKey } from 'node:crypto';
import type { CertificateView } from '../../src/pki/certificate.ts';
import type { Holder } from '../pki/make.ts';

type Certified = Pick<Holder, 'certificate'>;
type Json = Readonly<Record<string, unknown>>;

/** The key of a CA as a bundle has it, with more or other members. */
export function spiffeKey({ certificate }: Certified, members: Json = {}): Json {
  return { use: 'x509-svid', ...jwkOf(certificate), x5c: [certificate.der.toString('base64')], ...members };
}

export function jwtKey({ certificate }: Certified): Json {
  return { use: 'jwt-svid', kid: 'a', ...jwkOf(certificate) };
}

export function spiffeDocument(keys: readonly unknown[], members: Json = {}): Json {
  return { keys, spiffe_sequence: 1, spiffe_refresh_hint: 300, ...members };
}

function jwkOf({ publicKeyDer }: CertificateView): Json {
  return createPublicKey({ key: publicKeyDer, format: 'der', type: 'spki' }).export({ format: 'jwk' }) as Json;
}
