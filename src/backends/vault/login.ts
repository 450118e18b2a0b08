import type { VaultBackend } from '../../api/generated/types.ts';
import { ApiError, AuthorityError } from '../../errors.ts';
import { type BackendDeps, dataAt } from '../backend.ts';
import type { JsonAnswer } from '../http/json.ts';
import { membersOf } from '../http/json-members.ts';
import { encodePath, type VaultClient } from './client.ts';

/** A token of Vault's, and how long it is good for. */
export interface Grant {
  readonly token: string;
  /** Undefined where it never ends, or where Vault doesn't say. */
  readonly leaseMs: number | undefined;
  readonly renewable: boolean;
}

export interface Login {
  /** What the login is made with; where it has changed, so must the token. */
  credential(): Promise<string>;
  login(credential: string, signal: AbortSignal): Promise<Grant>;
}

/** As long as the API server issues tokens for at least; it is used at once. */
const TOKEN_SECONDS = 600;
/**
 * Vault counts logins of AppRole that fail until 15 minutes have passed without one, and after five it locks the role for
 * everybody. A secret id that was refused doesn't become good by itself anyway.
 */
const REFUSED_FOR_MS = 16 * 60_000;

/** The way in that the spec names; exactly one, as the schema sees to. */
export function loginOf({ auth }: VaultBackend, client: VaultClient, deps: BackendDeps): Login {
  if (auth.kubernetes !== undefined) return byServiceAccount(auth.kubernetes, client, deps);
  if (auth.appRole !== undefined) return byAppRole(auth.appRole, client, deps);
  if (auth.tokenSecretRef !== undefined) return byToken(auth.tokenSecretRef, client, deps);
  const fail = () => Promise.reject(new AuthorityError('AuthorityMisconfigured', 'auth names no login'));
  return { credential: fail, login: fail };
}

function byServiceAccount(
  { path, role, serviceAccountName, audience }: NonNullable<VaultBackend['auth']['kubernetes']>,
  client: VaultClient,
  deps: BackendDeps,
): Login {
  return {
    credential: async () => '',
    login: async (_credential, signal) => {
      const jwt = await tokenOf(serviceAccountName, audience, deps);
      const body = { role, jwt };
      const what = `the login as ServiceAccount ${serviceAccountName} with the role ${role} at auth/${path}`;
      return logIn(client, path, body, jwt, what, signal);
    },
  };
}

async function tokenOf(name: string, audience: string, deps: BackendDeps): Promise<string> {
  const { namespace } = deps.objects;
  try {
    return await deps.serviceAccountToken(name, audience, TOKEN_SECONDS);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 404)
      throw new AuthorityError('CredentialsNotFound', `there is no ServiceAccount ${name} in namespace ${namespace}`);
    if (error.status !== 403) throw error;
    throw new AuthorityError(
      'BackendForbidden',
      `Certwheel may not make a token of ServiceAccount ${namespace}/${name}: give its account create on serviceaccounts/token of that name by a Role`,
    );
  }
}

function byAppRole(
  { path, roleId, secretRef }: NonNullable<VaultBackend['auth']['appRole']>,
  client: VaultClient,
  deps: BackendDeps,
): Login {
  let refused: { readonly secretId: string; readonly untilMs: number; readonly error: AuthorityError } | undefined;
  return {
    credential: () => readSecret(secretRef, deps),
    login: async (secretId, signal) => {
      const nowMs = deps.clock.monotonicMs();
      if (refused?.secretId === secretId && nowMs < refused.untilMs) throw refused.error;
      try {
        const body = { role_id: roleId, secret_id: secretId };
        return await logIn(client, path, body, secretId, `the login at auth/${path}`, signal);
      } catch (error) {
        if (error instanceof AuthorityError && error.code === 'CredentialsRefused')
          refused = { secretId, untilMs: nowMs + REFUSED_FOR_MS, error };
        throw error;
      }
    },
  };
}

/** The token is the credential itself: nothing to log in with, only to ask how long it lasts. */
function byToken(
  secretRef: NonNullable<VaultBackend['auth']['tokenSecretRef']>,
  client: VaultClient,
  deps: BackendDeps,
): Login {
  return {
    credential: () => readSecret(secretRef, deps),
    login: async (token, signal) => {
      const answer = await client.ask({ method: 'GET', path: 'auth/token/lookup-self', token }, signal);
      // A policy without the right to lookup-self may still sign; a bad token then fails at the signature.
      if (answer.status === 403) return { token, leaseMs: undefined, renewable: false };
      if (answer.status !== 200) throw client.trouble(answer, 'looking up the token');
      const { data } = membersOf(answer.body);
      const { ttl, renewable } = membersOf(data);
      return grantOf(token, ttl, renewable);
    },
  };
}

async function readSecret({ name, key }: { name: string; key: string }, deps: BackendDeps): Promise<string> {
  const where = `in namespace ${deps.objects.namespace}`;
  const content = await deps.secret(name);
  if (content === undefined) throw new AuthorityError('CredentialsNotFound', `there is no Secret ${name} ${where}`);
  // Editors and echo leave a newline behind, which is part of no token.
  const value = dataAt(content, key)?.toString('latin1').trim() ?? '';
  if (value === '') throw new AuthorityError('CredentialsNotFound', `Secret ${name} ${where} has no key ${key}`);
  // It becomes a header, which can carry nothing else.
  if (!/^[\x21-\x7e]+$/.test(value))
    throw new AuthorityError('CredentialsRefused', `key ${key} of Secret ${name} ${where} holds more than one word`);
  return value;
}

async function logIn(
  client: VaultClient,
  path: string,
  body: Readonly<Record<string, string>>,
  secret: string,
  what: string,
  signal: AbortSignal,
): Promise<Grant> {
  const call = { method: 'POST', path: `auth/${encodePath(path)}/login`, body, secrets: [secret] } as const;
  const answer = await client.ask(call, signal);
  if (answer.status !== 200) throw loginRefusal(client, answer, what);
  const { auth } = membersOf(answer.body);
  const { client_token: token, lease_duration, renewable } = membersOf(auth);
  if (typeof token !== 'string' || token === '')
    throw new AuthorityError('AuthorityMisconfigured', `${what} was answered without a token; is MFA asked for?`);
  return grantOf(token, lease_duration, renewable);
}

/** A wrong secret id is answered 400, which elsewhere is about the request. */
function loginRefusal(client: VaultClient, answer: JsonAnswer, what: string) {
  if (answer.status === 400) return client.trouble({ ...answer, status: 403 }, what);
  return client.trouble(answer, what);
}

export function grantOf(token: string, seconds: unknown, renewable: unknown): Grant {
  const leaseMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : undefined;
  return { token, leaseMs, renewable: renewable === true };
}
