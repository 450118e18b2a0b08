import { AuthorityError } from '../../errors.ts';
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

/** Those of Vault have some hundred characters at most, and a request's headers 16 kB. */
const LONGEST_TOKEN = 8_192;

export interface LoginRequest {
  /** Of the mount, below auth/. */
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
  /** What must be in no message. */
  readonly secrets: readonly string[];
  /** Which login it is, in words. */
  readonly what: string;
  /** The command that shows what Vault compares it with, or what to do; told where the login is denied. */
  readonly remedy?: string;
}

/** Throws an AuthorityError that names the login. */
export async function logIn(
  client: VaultClient,
  { path, body, secrets, what, remedy }: LoginRequest,
  signal: AbortSignal,
): Promise<Grant> {
  const answer = await client.ask({ method: 'POST', path: `auth/${encodePath(path)}/login`, body, secrets }, signal);
  if (answer.status !== 200) throw refusal(client, answer, what, remedy);
  const { auth } = membersOf(answer.body);
  const { client_token: token, lease_duration, renewable } = membersOf(auth);
  if (typeof token !== 'string' || token === '')
    throw new AuthorityError('AuthorityMisconfigured', `${what} was answered without a token; is MFA asked for?`);
  // It becomes a header, which can carry nothing else.
  if (token.length > LONGEST_TOKEN || !/^[\x21-\x7e]+$/.test(token))
    throw new AuthorityError('InvalidAnswer', `${what} was answered with something that is no token of Vault's`);
  return grantOf(token, lease_duration, renewable);
}

/** A wrong secret id, JWT or certificate is answered 400, which elsewhere is about the request. */
function refusal(client: VaultClient, answer: JsonAnswer, what: string, remedy: string | undefined): AuthorityError {
  if (answer.status !== 400 && answer.status !== 403) return client.trouble(answer, what);
  const message = remedy === undefined ? answer.message : `${answer.message || 'no reason'}; ${remedy}`;
  return client.trouble({ ...answer, status: 403, message }, what);
}

export function grantOf(token: string, seconds: unknown, renewable: unknown): Grant {
  const leaseMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1_000 : undefined;
  return { token, leaseMs, renewable: renewable === true };
}
