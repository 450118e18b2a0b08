import type { AcmeDns01Solver, WebhookSolver } from '../../../api/generated/types.ts';
import { RetryableError } from '../../../errors.ts';
import { AuthorityHttp } from '../../http/client.ts';
import { connectionOf } from '../../http/connection.ts';
import { refusalError } from '../../http/errors.ts';
import { jsonOf } from '../../http/json.ts';
import { secretText } from '../../shared/secret-text.ts';
import type { Solver, SolverChallenge } from '../solver.ts';
import { DnsClient } from './dns/client.ts';
import { textData } from './dns/message.ts';
import { namedWitnesses, timeoutOf, waitForRecord } from './propagation.ts';
import { type DnsDeps, recordName, recordValue } from './record.ts';
import { provenName } from './select.ts';

/** What a webhook is sent; docs/guides/acme-challenges.md is the contract. */
interface WebhookCall {
  readonly action: 'present' | 'cleanup';
  /** The name to prove, without `*.`. */
  readonly domain: string;
  /** The TXT record and its value. */
  readonly name: string;
  readonly value: string;
}

/** Calls an HTTPS server that changes the zone, for providers of DNS that have an API of their own. */
export class Webhook implements Solver {
  readonly type = 'dns-01';
  readonly #spec: WebhookSolver;
  readonly #propagation: AcmeDns01Solver['propagation'];
  readonly #deps: DnsDeps;
  readonly #http: AuthorityHttp;
  readonly #path: '' | '/';

  constructor(spec: WebhookSolver, propagation: AcmeDns01Solver['propagation'], deps: DnsDeps) {
    const { url } = spec;
    this.#spec = spec;
    this.#propagation = propagation;
    this.#deps = deps;
    this.#path = URL.canParse(url) && new URL(url).pathname !== '/' ? '' : '/';
    this.#http = new AuthorityHttp({
      ...connectionOf(spec, deps),
      server: url,
      field: 'webhook.url',
      trustHint: "the webhook's caBundle must hold the CA of this server",
    });
  }

  async present(challenge: SolverChallenge, signal: AbortSignal): Promise<void> {
    await this.#call('present', challenge, signal);
    const witnesses = namedWitnesses(this.#propagation);
    if (witnesses === undefined) return;
    const { addresses, clock, objects } = this.#deps;
    const client = new DnsClient({ rules: addresses, namespace: objects.namespace }, clock);
    const data = textData(recordValue(challenge.keyAuthorization));
    const wait = { timeoutMs: timeoutOf(this.#propagation), clock };
    await waitForRecord(client, witnesses, { name: recordName(challenge.domain), data }, wait, signal);
  }

  cleanUp(challenge: SolverChallenge, signal: AbortSignal): Promise<void> {
    return this.#call('cleanup', challenge, signal);
  }

  async #call(action: WebhookCall['action'], challenge: SolverChallenge, signal: AbortSignal): Promise<void> {
    const { domain, keyAuthorization } = challenge;
    const body: WebhookCall = {
      action,
      domain: provenName(domain),
      name: recordName(domain),
      value: recordValue(keyAuthorization),
    };
    const { secretRef } = this.#spec;
    const token = secretRef && (await secretText(secretRef, this.#deps));
    const headers = {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const secrets = token === undefined ? [] : [token];
    const request = { method: 'POST', path: this.#path, headers, body: JSON.stringify(body), secrets } as const;
    const answered = await this.#http.exchange(request, signal);
    // What a webhook says besides its status counts only where it refuses.
    if (answered.status >= 200 && answered.status < 300) return;
    const answer = jsonOf(answered, this.#http.server, secrets);
    const what = `the webhook's ${action} of ${body.name}`;
    const { status, message } = answer;
    const refused =
      refusalError(answer, this.#http.server, what) ??
      new RetryableError('ChallengeFailed', `${this.#http.server}: ${what} was answered ${status}: ${message}`);
    // Any server refuses what it doesn't know, so no refusal shows that it is a webhook.
    const { code, retryAfterMs } = refused;
    throw new RetryableError(code, refused.message, { retryAfterMs, unproven: true });
  }
}
