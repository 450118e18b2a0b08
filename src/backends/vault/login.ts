import type { VaultAuth, VaultBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { membersOf } from '../http/json-members.ts';
import type { ClientPairSource } from '../shared/client-pair.ts';
import { secretText } from '../shared/secret-text.ts';
import { tokenOf } from '../shared/service-account-token.ts';
import { byCertificate } from './cert-login.ts';
import type { VaultClient } from './client.ts';
import { grantOf, type Login, logIn } from './grant.ts';

/**
 * Vault counts logins of AppRole that fail until 15 minutes have passed without one, and after five it locks the role for
 * everybody. A secret id that was refused doesn't become good by itself anyway.
 */
const REFUSED_FOR_MS = 16 * 60_000;

/** The way in that the spec names; exactly one, as the schema sees to. `pairs` is what the client shows, for auth.cert. */
export function loginOf(
  { auth }: VaultBackend,
  client: VaultClient,
  deps: BackendDeps,
  pairs: ClientPairSource | undefined,
): Login {
  const { kubernetes, appRole, jwt, cert, aws, tokenSecretRef } = auth;
  if (kubernetes !== undefined) {
    const { serviceAccountName: name, audience } = kubernetes;
    return byServiceAccount({ ...kubernetes, name, audience }, client, deps);
  }
  if (appRole !== undefined) return byAppRole(appRole, client, deps);
  if (jwt !== undefined) return byJwt(jwt, client, deps);
  if (cert !== undefined && pairs !== undefined) return byCertificate(cert, pairs, client);
  if (aws !== undefined) return byAws(aws, client, deps);
  if (tokenSecretRef !== undefined) return byToken(tokenSecretRef, client, deps);
  return failing('auth names no login');
}

function failing(problem: string): Login {
  const fail = () => Promise.reject(new AuthorityError('AuthorityMisconfigured', problem));
  return { credential: fail, login: fail };
}

interface ServiceAccountLogin {
  readonly path: string;
  readonly role: string;
  readonly name: string;
  readonly audience: string;
}

/** Vault's Kubernetes and JWT auth methods differ in how Vault verifies the token, and in nothing that is sent. */
function byServiceAccount(
  { path, role, name, audience }: ServiceAccountLogin,
  client: VaultClient,
  deps: BackendDeps,
): Login {
  return {
    credential: async () => '',
    login: async (_credential, signal) => {
      const jwt = await tokenOf(name, audience, deps);
      const what = `the login as ServiceAccount ${name} with the role ${role} at auth/${path}`;
      return logIn(client, { path, body: { role, jwt }, secrets: [jwt], what, remedy: seeRole(path, role) }, signal);
    },
  };
}

function byJwt(
  { path, role, serviceAccountRef, secretRef }: NonNullable<VaultAuth['jwt']>,
  client: VaultClient,
  deps: BackendDeps,
): Login {
  if (serviceAccountRef !== undefined) return byServiceAccount({ path, role, ...serviceAccountRef }, client, deps);
  if (secretRef === undefined) return failing('auth.jwt names neither serviceAccountRef nor secretRef');
  const { name, key } = secretRef;
  return {
    credential: () => secretText(secretRef, deps),
    login: async (jwt, signal) => {
      const where = `key ${key} of Secret ${deps.objects.namespace}/${name}`;
      const what = `the login by the JWT in ${where} with the role ${role} at auth/${path}`;
      const remedy = `${seeRole(path, role)}; an expired JWT must be replaced in the Secret`;
      return logIn(client, { path, body: { role, jwt }, secrets: [jwt], what, remedy }, signal);
    },
  };
}

function seeRole(path: string, role: string): string {
  return `compare with: vault read auth/${path}/role/${role}`;
}

/** Loaded with the first authority that logs in so: what signs requests to AWS is needed by no other login. */
function byAws(aws: NonNullable<VaultAuth['aws']>, client: VaultClient, deps: BackendDeps): Login {
  let loading: Promise<Login> | undefined;
  const load = async () => (await import('./aws-login.ts')).awsLogin(aws, client, deps, process.env);
  const loaded = () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  return {
    credential: async () => (await loaded()).credential(),
    login: async (credential, signal) => (await loaded()).login(credential, signal),
  };
}

function byAppRole(
  { path, roleId, secretRef }: NonNullable<VaultAuth['appRole']>,
  client: VaultClient,
  deps: BackendDeps,
): Login {
  let refused: { readonly secretId: string; readonly untilMs: number; readonly error: AuthorityError } | undefined;
  return {
    credential: () => secretText(secretRef, deps),
    login: async (secretId, signal) => {
      const nowMs = deps.clock.monotonicMs();
      if (refused?.secretId === secretId && nowMs < refused.untilMs) throw refused.error;
      try {
        const body = { role_id: roleId, secret_id: secretId };
        return await logIn(client, { path, body, secrets: [secretId], what: `the login at auth/${path}` }, signal);
      } catch (error) {
        if (error instanceof AuthorityError && error.code === 'CredentialsRefused')
          refused = { secretId, untilMs: nowMs + REFUSED_FOR_MS, error };
        throw error;
      }
    },
  };
}

/** The token is the credential itself: nothing to log in with, only to ask how long it lasts. */
function byToken(secretRef: NonNullable<VaultAuth['tokenSecretRef']>, client: VaultClient, deps: BackendDeps): Login {
  return {
    credential: () => secretText(secretRef, deps),
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
