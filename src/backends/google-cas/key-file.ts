import { type KeyObject, sign } from 'node:crypto';
import type { GoogleCASBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { keySpecOf, parsePrivateKey } from '../../pki/keys.ts';
import { type BackendDeps, dataAt } from '../backend-deps.ts';
import { membersOf } from '../http/json-members.ts';
import { noKey, noSecret } from '../shared/credentials-secret.ts';
import type { Login } from './tokens.ts';

// Own code in place of google-auth-library: that follows URLs of a key file (token_uri, credential_source), sends by an
// HTTP client that repeats requests, and exchanges a token of all of Google Cloud for what a signature of ours does.

/** What is used of a key file; no URL in it is. */
export interface ServiceAccountKey {
  readonly email: string;
  readonly keyId: string;
  readonly key: KeyObject;
}

const AUDIENCE = 'https://privateca.googleapis.com/';
const LIFE_SECONDS = 3_600;
const MAX_FILE_BYTES = 16_384;
const EMAIL = /^[a-z0-9._-]{1,100}@[a-z0-9.-]{1,150}$/i;
const KEY_ID = /^[0-9a-zA-Z_-]{1,128}$/;
const UNIVERSE = 'googleapis.com';

/** A key file in a Secret of the authority's namespace. */
export function byKeyFile(
  secretRef: NonNullable<GoogleCASBackend['auth']['secretRef']>,
  deps: Pick<BackendDeps, 'secret' | 'objects' | 'clock'>,
): Login {
  const { name, key } = secretRef;
  const place = `Secret ${deps.objects.namespace}/${name}, key ${key}`;
  const secret = { name, files: { [key]: 'key.json' } };
  let account: ServiceAccountKey | undefined;
  return {
    credential: async () => {
      const content = await deps.secret(name);
      if (content === undefined) throw noSecret(secret, deps);
      const file = dataAt(content, key);
      if (file === undefined || file.length === 0) throw noKey(secret, key, deps);
      if (file.length > MAX_FILE_BYTES) throw noKeyFile(place, `it has more than ${MAX_FILE_BYTES} bytes`);
      return file.toString('utf8');
    },
    login: async (file) => {
      account = readKeyFile(file, place);
      return { token: selfSignedToken(account, deps.clock.now()), lifeMs: LIFE_SECONDS * 1_000 };
    },
    member: () => `serviceAccount:${account?.email ?? 'EMAIL'}`,
    remedy: () =>
      `the key ${account?.keyId ?? ''} of ${place} must exist and its service account must be enabled: gcloud iam service-accounts keys list --iam-account=${account?.email ?? 'EMAIL'}`,
  };
}

/** Throws an AuthorityError that holds nothing of the file. */
export function readKeyFile(file: string, place: string): ServiceAccountKey {
  let parsed: unknown;
  try {
    parsed = JSON.parse(file);
  } catch {
    throw noKeyFile(place, 'it is no JSON');
  }
  const { type, client_email: email, private_key: pem, private_key_id: keyId, universe_domain } = membersOf(parsed);
  if (type === 'external_account')
    throw noKeyFile(place, 'its type is external_account; use spec.googleCAS.auth.workloadIdentity in its place');
  if (type !== 'service_account') throw noKeyFile(place, 'its type is not service_account');
  if (universe_domain !== undefined && universe_domain !== UNIVERSE)
    throw noKeyFile(place, `its universe_domain is not ${UNIVERSE}`);
  if (typeof email !== 'string' || !EMAIL.test(email)) throw noKeyFile(place, 'its client_email is no address');
  if (typeof keyId !== 'string' || !KEY_ID.test(keyId)) throw noKeyFile(place, 'its private_key_id is missing');
  return { email, keyId, key: readKey(pem, place) };
}

function readKey(pem: unknown, place: string): KeyObject {
  let key: KeyObject;
  try {
    key = parsePrivateKey(typeof pem === 'string' ? pem : '');
  } catch {
    throw noKeyFile(place, 'its private_key is unreadable');
  }
  const spec = keySpecOf(key);
  // Google makes keys of 2048 bits; a signature of a much larger one holds up the event loop.
  if (spec.algorithm !== 'RSA' || spec.size > 4_096) throw noKeyFile(place, 'its private_key is no RSA key of Google');
  return key;
}

/**
 * A token that the account signs itself (AIP-4111): good for this one API, where an exchanged token is good for all of
 * Google Cloud. Valid for an hour from `now`.
 */
export function selfSignedToken({ email, keyId, key }: ServiceAccountKey, now: Date): string {
  const iat = Math.floor(now.getTime() / 1_000);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const header = encode({ alg: 'RS256', typ: 'JWT', kid: keyId });
  const claims = encode({ iss: email, sub: email, aud: AUDIENCE, exp: iat + LIFE_SECONDS, iat });
  const signature = sign('sha256', Buffer.from(`${header}.${claims}`), key);
  return `${header}.${claims}.${signature.toString('base64url')}`;
}

function noKeyFile(place: string, why: string): AuthorityError {
  return new AuthorityError(
    'CredentialsRefused',
    `${place}: this is no key file of a service account: ${why}; make one with: gcloud iam service-accounts keys create key.json --iam-account=EMAIL`,
  );
}
