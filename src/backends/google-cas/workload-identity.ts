import type { GoogleCASBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import type { BackendDeps } from '../backend-deps.ts';
import type { AuthorityHttp } from '../http/client.ts';
import { refusalError } from '../http/errors.ts';
import { type JsonAnswer, jsonOf, requestOf } from '../http/json.ts';
import { membersOf } from '../http/json-members.ts';
import { tokenOf } from '../shared/service-account-token.ts';
import { rpcStatusOf } from './rpc-status.ts';
import type { Grant, Login } from './tokens.ts';

type WorkloadIdentity = NonNullable<GoogleCASBackend['auth']['workloadIdentity']>;

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const DEFAULT_LIFE_MS = 3_600_000;
/** Of tokens, as they go into a header. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;

interface Apis {
  readonly sts: AuthorityHttp;
  readonly iamcredentials: AuthorityHttp;
}

/** Workload identity federation: a token of a ServiceAccount of the authority's namespace is exchanged (RFC 8693). */
export function byWorkloadIdentity(
  workloadIdentity: WorkloadIdentity,
  { sts, iamcredentials }: Apis,
  deps: Pick<BackendDeps, 'objects' | 'serviceAccountToken' | 'clock'>,
): Login {
  const { audience, serviceAccountRef, serviceAccountEmail } = workloadIdentity;
  const { namespace } = deps.objects;
  return {
    credential: async () => '',
    login: async (_credential, signal) => {
      // The allowed audience of a provider, unless told otherwise.
      const jwt = await tokenOf(serviceAccountRef.name, `https:${audience}`, deps);
      const federated = await exchange(workloadIdentity, jwt, namespace, sts, signal);
      if (serviceAccountEmail === undefined) return federated;
      return impersonate(workloadIdentity, federated, memberOf(audience, namespace, serviceAccountRef.name), {
        http: iamcredentials,
        now: deps.clock.now(),
        signal,
      });
    },
    member: () =>
      serviceAccountEmail === undefined
        ? memberOf(audience, namespace, serviceAccountRef.name)
        : `serviceAccount:${serviceAccountEmail}`,
    remedy: () =>
      serviceAccountEmail === undefined
        ? `the provider must exist and be enabled: ${describing(audience)}`
        : `the service account must exist and be enabled: gcloud iam service-accounts describe ${serviceAccountEmail}`,
  };
}

/** The command that shows the provider of an audience, whose shape the schema checks. */
function describing(audience: string): string {
  const [, , , , project = '', , , , pool = '', , provider = ''] = audience.split('/');
  return `gcloud iam workload-identity-pools providers describe ${provider} --workload-identity-pool=${pool} --location=global --project=${project}`;
}

/** As IAM names a principal of a pool whose provider maps `google.subject` to `assertion.sub`. */
function memberOf(audience: string, namespace: string, name: string): string {
  const pool = audience.replace(/\/providers\/[^/]*$/, '');
  return `principal:${pool}/subject/system:serviceaccount:${namespace}:${name}`;
}

async function exchange(
  { audience, serviceAccountRef: { name } }: WorkloadIdentity,
  jwt: string,
  namespace: string,
  http: AuthorityHttp,
  signal: AbortSignal,
): Promise<Grant> {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience,
    scope: SCOPE,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: jwt,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const request = { method: 'POST', path: '/v1/token', headers, body, secrets: [jwt] } as const;
  const answer = jsonOf(await http.exchange(request, signal), http.server, [jwt]);
  const what = `the exchange of a token of ServiceAccount ${namespace}/${name} for ${audience}`;
  if (answer.status !== 200) {
    const said = answer.message || rpcStatusOf(answer, [jwt]).message;
    const remedy = `compare issuer, allowed audiences, JWKS and attribute condition with: ${describing(audience)}`;
    throw refusal({ ...answer, message: `${said}; ${remedy}` }, http.server, what);
  }
  const { access_token, expires_in } = membersOf(answer.body);
  const lifeMs = typeof expires_in === 'number' && expires_in > 0 ? expires_in * 1_000 : DEFAULT_LIFE_MS;
  return grantOf(access_token, lifeMs, what);
}

async function impersonate(
  { serviceAccountEmail = '' }: WorkloadIdentity,
  { token }: Grant,
  member: string,
  { http, now, signal }: { readonly http: AuthorityHttp; readonly now: Date; readonly signal: AbortSignal },
): Promise<Grant> {
  const path = `/v1/projects/-/serviceAccounts/${encodeURIComponent(serviceAccountEmail)}:generateAccessToken`;
  const headers = { authorization: `Bearer ${token}` };
  const body = { scope: [SCOPE], lifetime: '3600s' };
  const answer = jsonOf(
    await http.exchange(requestOf({ method: 'POST', path, headers, body, secrets: [token] }), signal),
    http.server,
    [token],
  );
  const what = `the impersonation of ${serviceAccountEmail}`;
  if (answer.status !== 200) {
    const remedy = `grant it with: gcloud iam service-accounts add-iam-policy-binding ${serviceAccountEmail} --role=roles/iam.workloadIdentityUser --member=${member}`;
    throw refusal({ ...answer, message: `${rpcStatusOf(answer, [token]).message}; ${remedy}` }, http.server, what);
  }
  const { accessToken, expireTime } = membersOf(answer.body);
  const endMs = typeof expireTime === 'string' ? Date.parse(expireTime) : Number.NaN;
  const lifeMs = Number.isNaN(endMs) ? DEFAULT_LIFE_MS : Math.max(0, endMs - now.getTime());
  return grantOf(accessToken, lifeMs, what);
}

/** A 400 of a login is about the credentials, which elsewhere is about the request. */
function refusal(answer: JsonAnswer, server: string, what: string): AuthorityError {
  const { status, message } = answer;
  if (status >= 400 && status < 500 && status !== 429)
    return new AuthorityError('CredentialsRefused', `${server}: ${what} was answered ${status}: ${message}`);
  const error = refusalError(answer, server, what);
  return error ?? new AuthorityError('InvalidAnswer', `${server}: ${what} was answered ${status}`);
}

function grantOf(token: unknown, lifeMs: number, what: string): Grant {
  if (typeof token === 'string' && TOKEN.test(token)) return { token, lifeMs };
  throw new AuthorityError('InvalidAnswer', withoutSecrets(`${what} was answered without a token`));
}
