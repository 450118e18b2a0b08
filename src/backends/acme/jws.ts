import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** The public half of an account key, with the members of RFC 7638 in their order. */
interface PublicJwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

/** A P-256 key that signs the requests of an account. */
export interface AccountKey {
  readonly privateKey: KeyObject;
  readonly jwk: PublicJwk;
  /** RFC 7638: base64url of the SHA-256 of `jwk`. */
  readonly thumbprint: string;
}

/** Throws an Error for another kind of key. */
export function accountKey(privateKey: KeyObject): AccountKey {
  const { kty = '', crv = '', x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (crv !== 'P-256') throw new Error('it is no ECDSA key on P-256');
  const jwk = { crv, kty, x, y };
  return { privateKey, jwk, thumbprint: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url') };
}

/** RFC 8555 section 8.1. */
export function keyAuthorization(token: string, { thumbprint }: AccountKey): string {
  return `${token}.${thumbprint}`;
}

/** What a request says of itself. Without `kid`, the URL of the account, it carries the public key (RFC 8555 section 6.2). */
export interface JwsHeader {
  readonly url: string;
  /** The inner JWS of a key change has none. */
  readonly nonce?: string;
  readonly kid?: string | undefined;
}

/** The flattened JWS of a request, signed with ES256; `payload` undefined is POST-as-GET (RFC 8555 section 6.3). */
export function signedRequest(key: AccountKey, { url, nonce, kid }: JwsHeader, payload: object | undefined): object {
  const sender = kid === undefined ? { jwk: key.jwk } : { kid };
  const header = { alg: 'ES256', ...sender, ...(nonce === undefined ? {} : { nonce }), url };
  return flattened(header, payload, (text) =>
    sign('sha256', text, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
  );
}

/** Binds the key of a new account to an account of the CA (RFC 8555 section 7.3.4). */
export function externalBinding(
  { jwk }: AccountKey,
  url: string,
  { keyId, hmacKey }: { readonly keyId: string; readonly hmacKey: Buffer },
): object {
  return flattened({ alg: 'HS256', kid: keyId, url }, jwk, (text) =>
    createHmac('sha256', hmacKey).update(text).digest('base64url'),
  );
}

function flattened(header: object, content: object | undefined, signatureOf: (text: Buffer) => string): object {
  const protectedPart = base64url(JSON.stringify(header));
  const payload = content === undefined ? '' : base64url(JSON.stringify(content));
  return { protected: protectedPart, payload, signature: signatureOf(Buffer.from(`${protectedPart}.${payload}`)) };
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
