import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto';
import { membersOf } from '../http/members.ts';

/** The key of a JWK provisioner, which signs one-time tokens. */
export interface ProvisionerKey {
  readonly kid: string;
  readonly key: KeyObject;
  /** RFC 7638 of the public half: equal for equal keys, whatever else stands in their JWKs. */
  readonly thumbprint: string;
}

export interface TokenClaims {
  /** Name of the provisioner. */
  readonly issuer: string;
  /** Address of the very endpoint that is to take it. */
  readonly audience: string;
  readonly subject: string;
  readonly sans?: readonly string[];
  /** Fingerprint of a root of the CA, lower-case hex. */
  readonly rootFingerprint: string;
  /** DER of the request that it is for: it is good for no other one. */
  readonly csr?: Buffer;
}

const LIFE_SECONDS = 300;
/** A larger one would hold up everybody else with each token that it signs. */
const MAX_RSA_BITS = 4_096;

/** The members that RFC 7638 section 3.2 and RFC 8037 section 2 hash, in their order. */
const THUMBPRINT_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
]);

const CURVE_ALGORITHMS: ReadonlyMap<string, { alg: string; digest: string }> = new Map([
  ['P-256', { alg: 'ES256', digest: 'sha256' }],
  ['P-384', { alg: 'ES384', digest: 'sha384' }],
  ['P-521', { alg: 'ES512', digest: 'sha512' }],
]);

/** Reads the JWK of a private key. Throws an Error that says what it lacks, without quoting it. */
export function readProvisionerKey(jwk: unknown): ProvisionerKey {
  const members = membersOf(jwk);
  const thumbprint = thumbprintOf(members);
  if (thumbprint === undefined || typeof members.d !== 'string')
    throw new Error('it is no private key of type EC, OKP or RSA');
  const { kid } = members;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: members as JsonWebKey, format: 'jwk' });
  } catch {
    throw new Error('it is no valid private key');
  }
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) > MAX_RSA_BITS)
    throw new Error(`it is an RSA key of more than ${MAX_RSA_BITS} bits`);
  return { kid: typeof kid === 'string' && kid !== '' ? kid : thumbprint, key, thumbprint };
}

/** Undefined for what is no key of a known kind. */
export function thumbprintOf(jwk: unknown): string | undefined {
  const members = membersOf(jwk);
  const names = THUMBPRINT_MEMBERS.get(members.kty);
  if (names === undefined || names.some((name) => typeof members[name] !== 'string')) return undefined;
  const canonical = JSON.stringify(Object.fromEntries(names.map((name) => [name, members[name]])));
  return createHash('sha256').update(canonical).digest('base64url');
}

/** A token that step-ca takes once, for five minutes from now. */
export function oneTimeToken({ kid, key }: ProvisionerKey, claims: TokenClaims, now: Date): string {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const { alg, digest } = algorithmOf(key);
  const payload = {
    iss: claims.issuer,
    aud: claims.audience,
    sub: claims.subject,
    ...(claims.sans && { sans: claims.sans }),
    sha: claims.rootFingerprint,
    ...(claims.csr && { cnf: { 'x5rt#S256': createHash('sha256').update(claims.csr).digest('base64url') } }),
    jti: randomUUID(),
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + LIFE_SECONDS,
  };
  const content = `${encode({ alg, kid, typ: 'JWT' })}.${encode(payload)}`;
  const signature = sign(digest, Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' });
  return `${content}.${signature.toString('base64url')}`;
}

function algorithmOf(key: KeyObject): { alg: string; digest: string | null } {
  const { kty, crv = '' } = createPublicKey(key).export({ format: 'jwk' });
  if (kty === 'RSA') return { alg: 'RS256', digest: 'sha256' };
  const curve = CURVE_ALGORITHMS.get(crv);
  if (curve !== undefined) return curve;
  if (crv === 'Ed25519') return { alg: 'EdDSA', digest: null };
  throw new Error(`the provisioner's key is of a kind that step-ca knows no token for: ${crv || kty}`);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
