import { AuthorityError, type CertwheelError } from '../../errors.ts';
import { withoutSecrets } from '../../foreign-text.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { AuthorityHttp, type HttpOptions } from '../http/client.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { type AwsException, exceptionIn, isAboutKeys, refusalOf, troubleOf } from './exceptions.ts';
import type { Sessions } from './sessions.ts';
import { type AwsKeys, signedHeaders } from './sign.ts';

/** The operations of AWS Private CA that are used. */
export type Operation =
  | 'DescribeCertificateAuthority'
  | 'GetCertificateAuthorityCertificate'
  | 'GetCertificate'
  | 'IssueCertificate'
  | 'RevokeCertificate';

/** Success, or an exception with what it means. */
export type Outcome =
  | { readonly body: Readonly<Record<string, unknown>> }
  | {
      readonly exception: AwsException;
      /** What it means for the authority. */
      trouble(): AuthorityError;
      /** What it means where one certificate was asked for. */
      refusal(): CertwheelError;
    };

interface Place {
  readonly server: string;
  readonly region: string;
}

/** The JSON protocol of AWS Private CA, signed. Nothing is tried twice but what the keys, and nothing else, were refused for. */
export class PcaClient {
  readonly #http: AuthorityHttp;
  readonly #place: Place;
  readonly #sessions: Sessions;
  readonly #deps: Pick<BackendDeps, 'clock'>;

  constructor(
    place: Place,
    sessions: Sessions,
    options: Omit<HttpOptions, 'server'>,
    deps: Pick<BackendDeps, 'clock'>,
  ) {
    this.#http = new AuthorityHttp({ ...options, server: place.server, field: 'endpoint' });
    this.#place = place;
    this.#sessions = sessions;
    this.#deps = deps;
  }

  /** Throws an AuthorityError where AWS doesn't answer. `about` completes the operation in messages. */
  async ask(
    operation: Operation,
    input: Readonly<Record<string, unknown>>,
    about: string,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const keys = await this.#sessions.get();
    const first = await this.#once(operation, input, keys, signal);
    const refused = exceptionOf(first);
    const other = refused !== undefined && isAboutKeys(refused) ? await this.#sessions.instead(keys) : keys;
    const answer = other === keys ? first : await this.#once(operation, input, other, signal);
    return this.#outcome(answer, `${operation} ${about}`, other);
  }

  async #once(
    operation: Operation,
    input: Readonly<Record<string, unknown>>,
    keys: AwsKeys,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { server, region } = this.#place;
    const url = new URL(`${server.replace(/\/$/, '')}/`);
    const body = JSON.stringify(input);
    const headers = await signedHeaders(
      {
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `ACMPrivateCA.${operation}` },
        body,
      },
      keys,
      { region, service: 'acm-pca', now: this.#deps.clock.now() },
    );
    const request = { method: 'POST', path: '/', headers, body, secrets: secretsOf(keys) } as const;
    return this.#http.exchange(request, signal, isOfAws);
  }

  #outcome(answer: HttpAnswer, what: string, keys: AwsKeys): Outcome {
    const exception = exceptionOf(answer);
    if (exception !== undefined) {
      const shown = { ...exception, message: withoutSecrets(exception.message, secretsOf(keys)) };
      const circumstances = { what, keys: this.#sessions.description, now: this.#deps.clock.now() };
      return {
        exception: shown,
        trouble: () => troubleOf(shown, answer, circumstances),
        refusal: () => refusalOf(shown, answer, circumstances),
      };
    }
    const body = objectIn(answer);
    if (body !== undefined) return { body };
    const { status, retryAfterMs } = answer;
    throw new AuthorityError(
      status >= 500 ? 'AuthorityUnavailable' : 'AuthorityMisconfigured',
      `${this.#http.server}: ${what} was answered ${status}, not as AWS does; is this the endpoint of acm-pca?`,
      { unproven: true, retryAfterMs },
    );
  }
}

function exceptionOf(answer: HttpAnswer): AwsException | undefined {
  return answer.status < 300 ? undefined : exceptionIn(answer);
}

function isOfAws(answer: HttpAnswer): boolean {
  return exceptionOf(answer) !== undefined || objectIn(answer) !== undefined;
}

function secretsOf({ secretAccessKey, sessionToken = '' }: AwsKeys): readonly string[] {
  return [secretAccessKey, sessionToken];
}

/** Nothing for what isn't of the protocol, which other JSON is not; RevokeCertificate answers with no body at all. */
function objectIn({ status, headers, bytes }: HttpAnswer): Readonly<Record<string, unknown>> | undefined {
  const isOfProtocol =
    headers['content-type']?.startsWith('application/x-amz-json') === true || headers['x-amzn-requestid'] !== undefined;
  if (status >= 300 || !isOfProtocol) return undefined;
  if (bytes.length === 0) return {};
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof body === 'object' && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
