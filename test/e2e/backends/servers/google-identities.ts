import { generateKeyPairSync, type KeyObject, type KeyPairKeyObjectResult, randomUUID } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { denied, RpcError, unauthenticated } from './google-errors.ts';

const AUDIENCE = 'https://privateca.googleapis.com/';
const HOUR_MS = 3_600_000;

/** Of IAM: what a principal may do in the one project that there is. */
export type Permission = `privateca.${string}`;

export const REQUESTER: readonly Permission[] = ['privateca.certificates.create'];
/** The custom role of docs/authorities/google-cas.md. */
export const CERTWHEEL: readonly Permission[] = [
  'privateca.caPools.get',
  'privateca.certificates.get',
  'privateca.certificates.list',
  'privateca.certificates.update',
  'privateca.certificateTemplates.get',
];

interface Account {
  readonly email: string;
  readonly permissions: ReadonlySet<string>;
  /** How far Google's clock is ahead of this machine's, as this account sees it. */
  readonly clockAheadMs: number;
  readonly keys: Map<string, KeyObject>;
  /** All of its keys are one under different ids: to make an RSA key takes a third of a second. */
  pair?: KeyPairKeyObjectResult;
}

/** A provider of a workload identity pool. */
interface Provider {
  readonly issuer: string;
  readonly jwks: JSONWebKeySet;
}

export interface Principal {
  readonly member: string;
  readonly permissions: ReadonlySet<string>;
}

/** Service accounts with their keys, providers of workload identity, and the tokens that were granted. */
export class Identities {
  readonly #accounts = new Map<string, Account>();
  readonly #providers = new Map<string, Provider>();
  readonly #grants = new Map<string, { readonly principal: Principal; readonly untilMs: number }>();
  /** What each principal that is no service account may do, and which service accounts it may impersonate. */
  readonly #members = new Map<
    string,
    { readonly permissions: readonly string[]; readonly impersonates: readonly string[] }
  >();

  addAccount(name: string, permissions: readonly string[], { clockAheadMs = 0 } = {}): string {
    const email = `${name}@certwheel-test.iam.gserviceaccount.com`;
    this.#accounts.set(email, { email, permissions: new Set(permissions), clockAheadMs, keys: new Map() });
    return email;
  }

  /** What `gcloud iam service-accounts keys create` writes. */
  keyFile(email: string): string {
    const account = this.#account(email);
    account.pair ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { privateKey, publicKey } = account.pair;
    const id = randomUUID().replaceAll('-', '');
    account.keys.set(id, publicKey);
    return JSON.stringify({
      type: 'service_account',
      project_id: 'certwheel-test',
      private_key_id: id,
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      client_email: email,
      client_id: '1',
      auth_uri: 'https://accounts.google.com/o/oauth2/auth',
      // Nothing may be sent there.
      token_uri: 'https://127.0.0.1:1/token',
      universe_domain: 'googleapis.com',
    });
  }

  deleteKeys(email: string): void {
    this.#account(email).keys.clear();
  }

  addProvider(audience: string, provider: Provider): void {
    this.#providers.set(audience, provider);
  }

  addMember(member: string, permissions: readonly string[], impersonates: readonly string[] = []): void {
    this.#members.set(member, { permissions, impersonates });
  }

  /** A token of the metadata server, for this account. */
  grantTo(email: string): string {
    const { permissions } = this.#account(email);
    return this.#grant({ member: `serviceAccount:${email}`, permissions });
  }

  /** Every token that was granted is no longer taken. */
  revokeGrants(): void {
    this.#grants.clear();
  }

  async authenticate(authorization = ''): Promise<Principal> {
    const token = authorization.replace(/^Bearer /, '');
    const granted = this.#grants.get(token);
    if (granted !== undefined && Date.now() < granted.untilMs) return granted.principal;
    try {
      const { kid = '' } = decodeProtectedHeader(token);
      const account = this.#account(decodeJwt(token).iss ?? '');
      const key = account.keys.get(kid);
      if (key === undefined) throw new Error('no such key');
      await jwtVerify(token, key, {
        algorithms: ['RS256'],
        audience: AUDIENCE,
        issuer: account.email,
        subject: account.email,
        currentDate: new Date(Date.now() + account.clockAheadMs),
        maxTokenAge: '1h',
        clockTolerance: 30,
      });
      return { member: `serviceAccount:${account.email}`, permissions: account.permissions };
    } catch {
      throw unauthenticated();
    }
  }

  /** sts.googleapis.com/v1/token (RFC 8693); errors are those of OAuth. */
  async exchange(form: URLSearchParams): Promise<object> {
    const audience = form.get('audience') ?? '';
    const refuse = (description: string) =>
      Object.assign(new Error(description), { oauth: { error: 'invalid_grant', error_description: description } });
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange') throw refuse('grant_type');
    if (form.get('subject_token_type') !== 'urn:ietf:params:oauth:token-type:jwt') throw refuse('subject_token_type');
    if (form.get('requested_token_type') !== 'urn:ietf:params:oauth:token-type:access_token') throw refuse('type');
    const provider = this.#providers.get(audience);
    if (provider === undefined) throw refuse(`Invalid value for "audience": ${audience}`);
    const subject = await jwtVerify(form.get('subject_token') ?? '', createLocalJWKSet(provider.jwks), {
      issuer: provider.issuer,
      audience: `https:${audience}`,
    }).then(
      ({ payload }) => payload.sub,
      (error: Error) => {
        throw refuse(`The audience, issuer or signature in ID Token is not expected: ${error.message}`);
      },
    );
    const member = `principal:${audience.replace(/\/providers\/.*$/, '')}/subject/${subject}`;
    const { permissions = [] } = this.#members.get(member) ?? {};
    const token = this.#grant({ member, permissions: new Set(permissions) });
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    return { access_token: token, issued_token_type: type, token_type: 'Bearer', expires_in: 3_600 };
  }

  /** iamcredentials.googleapis.com, generateAccessToken. */
  impersonate({ member }: Principal, email: string): object {
    if (this.#members.get(member)?.impersonates.includes(email) !== true)
      throw new RpcError(
        403,
        'PERMISSION_DENIED',
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      );
    const expireTime = new Date(Date.now() + HOUR_MS).toISOString().replace(/\.\d+/, '');
    return { accessToken: this.grantTo(email), expireTime };
  }

  #grant(principal: Principal): string {
    const token = `ya29.${randomUUID()}${randomUUID()}`;
    this.#grants.set(token, { principal, untilMs: Date.now() + HOUR_MS });
    return token;
  }

  #account(email: string): Account {
    const account = this.#accounts.get(email);
    if (account === undefined) throw new Error(`no account ${email}`);
    return account;
  }
}

export function assertPermission({ permissions }: Principal, permission: Permission, name: string): void {
  if (!permissions.has(permission)) throw denied(permission, name);
}
