import { AuthorityError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { AuthorityHttp, type HttpOptions } from '../http/client.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { type AwsException, troubleOf } from './exceptions.ts';
import type { Grant } from './sessions.ts';
import { type AwsKeys, signedHeaders } from './sign.ts';

/** As long as every role allows; more would have to be allowed on the role. */
const SESSION_SECONDS = 3_600;
const VERSION = '2011-06-15';

interface Place {
  readonly server: string;
  readonly region: string;
}

/** AWS STS, whose query protocol takes forms and answers XML. */
export class Sts {
  readonly #http: AuthorityHttp;
  readonly #place: Place;
  readonly #deps: Pick<BackendDeps, 'clock' | 'name'>;

  constructor(place: Place, options: Omit<HttpOptions, 'server'>, deps: Pick<BackendDeps, 'clock' | 'name'>) {
    this.#http = new AuthorityHttp({ ...options, server: place.server, field: 'stsEndpoint' });
    this.#place = place;
    this.#deps = deps;
  }

  /** `identity` says whose token it is, for messages. */
  async byToken(roleArn: string, token: string, identity: string, signal: AbortSignal): Promise<Grant> {
    const form = this.#form('AssumeRoleWithWebIdentity', { RoleArn: roleArn, WebIdentityToken: token });
    const answer = await this.#send(form, {}, [token], signal);
    return this.#grant(answer, `the login as ${roleArn} with a token of ${identity}`, identity, [token]);
  }

  async byKeys(
    roleArn: string,
    externalId: string | undefined,
    keys: AwsKeys,
    description: string,
    signal: AbortSignal,
  ): Promise<Grant> {
    const form = this.#form('AssumeRole', {
      RoleArn: roleArn,
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    });
    const { server, region } = this.#place;
    const signed = await signedHeaders(
      { method: 'POST', url: new URL(`${server.replace(/\/$/, '')}/`), headers: FORM, body: form },
      keys,
      { region, service: 'sts', now: this.#deps.clock.now() },
    );
    const secrets = [keys.secretAccessKey, keys.sessionToken ?? ''];
    return this.#grant(
      await this.#send(form, signed, secrets, signal),
      `assuming the role ${roleArn}`,
      description,
      secrets,
    );
  }

  #form(action: string, parameters: Readonly<Record<string, string>>): string {
    const RoleSessionName = sessionName(this.#deps.name);
    const DurationSeconds = String(SESSION_SECONDS);
    return new URLSearchParams({
      Action: action,
      Version: VERSION,
      ...parameters,
      RoleSessionName,
      DurationSeconds,
    }).toString();
  }

  #send(
    body: string,
    headers: Readonly<Record<string, string>>,
    secrets: readonly string[],
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const all = { ...FORM, ...headers, accept: '*/*' };
    const request = { method: 'POST', path: '/', headers: all, body, secrets } as const;
    return this.#http.exchange(request, signal, ({ bytes }) => errorIn(bytes.toString('utf8')) !== undefined);
  }

  #grant(answer: HttpAnswer, what: string, keys: string, secrets: readonly string[]): Grant {
    const xml = answer.bytes.toString('utf8');
    const exception = errorIn(xml);
    if (answer.status >= 300 && exception !== undefined) {
      const shown = { ...exception, message: withoutSecrets(exception.message, secrets) };
      throw loginTrouble(shown, what) ?? troubleOf(shown, answer, { what, keys, now: this.#deps.clock.now() });
    }
    const granted = answer.status < 300 ? grantIn(xml, this.#deps.clock.now()) : undefined;
    if (granted !== undefined) return granted;
    const { status, retryAfterMs } = answer;
    throw new AuthorityError(
      status >= 500 ? 'AuthorityUnavailable' : 'AuthorityMisconfigured',
      `${this.#http.server}: ${what} was answered ${status}, not as AWS STS does; is this the endpoint of STS?`,
      { unproven: true, retryAfterMs },
    );
  }
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };

/** What CloudTrail shows of each request. */
function sessionName(authority: string): string {
  return `certwheel-${authority.replaceAll(/[^\w+=,.@-]/g, '.')}`.slice(0, 64);
}

/** What is wrong with the identity provider or the trust policy of the role, where that is it. */
function loginTrouble({ name, message }: AwsException, what: string): AuthorityError | undefined {
  const said = `${what} was answered ${name}: ${message}`;
  if (name === 'AccessDenied')
    return new AuthorityError(
      'CredentialsRefused',
      `the role's trust policy doesn't allow it, or there is no such role: ${said}`,
    );
  if (name === 'InvalidIdentityToken')
    return new AuthorityError(
      'CredentialsRefused',
      `IAM doesn't know the issuer of this cluster's tokens, or not with this audience; see aws iam list-open-id-connect-providers: ${said}`,
    );
  if (name === 'IDPCommunicationError')
    return new AuthorityError(
      'AuthorityUnavailable',
      `AWS can't read the keys of this cluster's token issuer: ${said}`,
    );
  return undefined;
}

/** Of a document that is as flat and as regular as STS's: the text of the first element of that name. */
function textOf(xml: string, element: string): string | undefined {
  return new RegExp(`<${element}>([^<]{1,8192})</${element}>`).exec(xml)?.[1];
}

export function errorIn(xml: string): AwsException | undefined {
  const name = textOf(xml, 'Code');
  if (name === undefined || !/^\w{1,100}$/.test(name)) return undefined;
  return { name, message: unescaped(textOf(xml, 'Message') ?? '') };
}

export function grantIn(xml: string, now: Date): Grant | undefined {
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = [
    'AccessKeyId',
    'SecretAccessKey',
    'SessionToken',
    'Expiration',
  ].map((element) => textOf(xml, element));
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) return undefined;
  // They become a header, which can carry nothing else.
  if (![accessKeyId, secretAccessKey, sessionToken].every((each) => /^[\x21-\x7e]+$/.test(each))) return undefined;
  const lifeMs = Date.parse(expiration ?? '') - now.getTime();
  return {
    keys: { accessKeyId, secretAccessKey, sessionToken },
    lifeMs: Number.isNaN(lifeMs) ? SESSION_SECONDS * 1_000 : lifeMs,
  };
}

function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&apos;': "'",
    '&amp;': '&',
  };
  return text.replaceAll(/&(?:lt|gt|quot|apos|amp);/g, (entity) => entities[entity] ?? entity);
}
