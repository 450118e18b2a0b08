import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { SignJWT } from 'jose';
import { membersOf } from '../http/json-members.ts';

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
/** RFC 7518 section 3.3 forbids a smaller key. A larger one would delay all other work with each token. */
const RSA_BITS = { least: 2_048, most: 4_096 };

/** The members that RFC 7638 section 3.2 and RFC 8037 section 2 hash, in their order. */
const THUMBPRINT_MEMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
]);

const CURVE_ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
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
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits > RSA_BITS.most)
    throw new Error(`it is an RSA key of more than ${RSA_BITS.most} bits`);
  if (bits !== undefined && bits < RSA_BITS.least)
    throw new Error(`it is an RSA key of less than ${RSA_BITS.least} bits`);
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

/** The key of a token, and how step-ca finds its public half: by the id of a JWK, or in the certificate itself. */
export interface TokenKey {
  readonly key: KeyObject;
  readonly kid?: string;
  /** DER in base64, leaf first (RFC 7515 section 4.1.6). */
  readonly x5c?: string[];
}

/** A token that step-ca takes once, for five minutes from now. Throws an Error for a kind of key that step-ca has no token for. */
export async function oneTimeToken({ kid, x5c, key }: TokenKey, claims: TokenClaims, now: Date): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const payload = {
    iss: claims.issuer,
    aud: claims.audience,
    sub: claims.subject,
    ...(claims.sans && { sans: [...claims.sans] }),
    sha: claims.rootFingerprint,
    ...(claims.csr && { cnf: { 'x5rt#S256': createHash('sha256').update(claims.csr).digest('base64url') } }),
    jti: randomUUID(),
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + LIFE_SECONDS,
  };
  const header = { alg: algorithmOf(key), ...(kid !== undefined && { kid }), ...(x5c && { x5c }), typ: 'JWT' };
  return new SignJWT(payload).setProtectedHeader(header).sign(key);
}

function algorithmOf(key: KeyObject): string {
  const { kty, crv = '' } = createPublicKey(key).export({ format: 'jwk' });
  const alg = kty === 'RSA' ? 'RS256' : CURVE_ALGORITHMS.get(crv);
  if (alg === undefined)
    throw new Error(`the provisioner's key is of a kind that step-ca knows no token for: ${crv || kty}`);
  return alg;
}
