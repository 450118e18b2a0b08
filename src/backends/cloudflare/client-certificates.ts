import { AuthorityError, RetryableError } from '../../errors.ts';
import { withinLimit } from '../http/client.ts';
import { type CloudflareApi, isSuccess, resultOf } from './api.ts';
import { type ListedCertificate, readListed } from './certificates.ts';
import { meaningOf, refusalOf, refusesToken } from './refusals.ts';

/** The most that the API gives on a page. */
const PER_PAGE = 50;
/** 2,000 certificates, the largest quota that the schema takes. */
const MOST_PAGES = 40;
/** No certificate has it. */
const NOBODY = '0'.repeat(32);

/** The calls for the client certificates of one zone. All throw an AuthorityError where the authority is at fault. */
export class ClientCertificates {
  readonly #api: CloudflareApi;
  readonly #zone: string;
  #running: Promise<readonly ListedCertificate[]> | undefined;
  #queued: Promise<readonly ListedCertificate[]> | undefined;
  /** The token that was shown to have the right to write. */
  #proven: string | undefined;

  constructor(api: CloudflareApi, zone: string) {
    this.#api = api;
    this.#zone = zone;
  }

  /** The active certificates at a moment after the call; callers that wait together share one list. */
  list(): Promise<readonly ListedCertificate[]> {
    const start = () => {
      this.#running = withinLimit(new AbortController().signal, (all) => this.#pages(all)).finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    };
    if (this.#running === undefined) return start();
    this.#queued ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        return this.#running ?? start();
      });
    return this.#queued;
  }

  /**
   * Sent once and never repeated here, since each create that arrives issues a certificate. Undefined where the quota of
   * the zone is used up. Throws a DeniedError where the CSR is refused.
   */
  async create(csr: string, days: number, signal: AbortSignal): Promise<ListedCertificate | undefined> {
    const call = { method: 'POST', path: this.#path(), body: { csr, validity_days: days } } as const;
    const answer = await this.#api.ask(call, signal);
    if (meaningOf(answer) === 'quota') return undefined;
    const what = `the request for a client certificate of zone ${this.#zone} for ${days} days`;
    if (refusesToken(answer)) throw await this.#api.explained(answer, what, this.#place, signal);
    if (!isSuccess(answer)) throw refusalOf(answer, this.#api.asked(what, this.#place, answer.secrets));
    const made = readListed(resultOf(answer).result);
    if (made === undefined)
      throw new RetryableError('RequestFailed', `${this.#api.server} answered ${what} without an id`);
    return made;
  }

  /** Revoking twice is harmless: what isn't active any more is as it should be. */
  async revoke(id: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#api.ask({ method: 'DELETE', path: this.#path(id) }, signal);
    if (isSuccess(answer)) return;
    const what = `revoking client certificate ${id} of zone ${this.#zone}`;
    if (refusesToken(answer)) throw await this.#api.explained(answer, what, this.#place, signal);
    if (answer.status < 500 && answer.status !== 429 && (await this.#isRevoked(id, signal))) return;
    throw refusalOf(answer, this.#api.asked(what, this.#place, answer.secrets));
  }

  /**
   * By its serial number; undefined for one that isn't active. An id that was kept in a Secret saves a listing, and may have
   * been forged to have another certificate revoked.
   */
  async idOf(serialNumber: string, kept: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    const found = kept === undefined ? undefined : await this.#read(kept, signal);
    if (found?.serialNumber === serialNumber) return found.id;
    return (await this.list()).find((each) => each.serialNumber === serialNumber)?.id;
  }

  /** Shows once for each token that it may write: a certificate that doesn't exist is to be revoked. */
  async proveWrite(signal: AbortSignal): Promise<void> {
    if (this.#proven !== undefined && this.#proven === (await this.#api.token())) return;
    const answer = await this.#api.ask({ method: 'DELETE', path: this.#path(NOBODY) }, signal);
    const [token] = answer.secrets;
    if (refusesToken(answer)) {
      const what = `a write to the client certificates of zone ${this.#zone}`;
      throw await this.#api.explained(answer, what, this.#place, signal);
    }
    if (answer.status < 500 && answer.status !== 429) this.#proven = token;
  }

  async #isRevoked(id: string, signal: AbortSignal): Promise<boolean> {
    const found = await this.#read(id, signal);
    return found?.status === 'revoked' || found?.status === 'pending_revocation';
  }

  async #read(id: string, signal: AbortSignal): Promise<ListedCertificate | undefined> {
    const answer = await this.#api.ask({ method: 'GET', path: this.#path(id) }, signal);
    return isSuccess(answer) ? readListed(resultOf(answer).result) : undefined;
  }

  async #pages(signal: AbortSignal): Promise<readonly ListedCertificate[]> {
    const found = new Map<string, ListedCertificate>();
    const what = `listing the client certificates of zone ${this.#zone}`;
    for (let page = 1; page <= MOST_PAGES; page++) {
      const path = `${this.#path()}?status=active&per_page=${PER_PAGE}&page=${page}`;
      const { result, info } = await this.#api.get({ method: 'GET', path }, what, this.#place, signal);
      if (!Array.isArray(result))
        throw new AuthorityError('InvalidAnswer', `${this.#api.server}: ${what} was answered without a list`);
      for (const each of result.slice(0, PER_PAGE).flatMap((value) => readListed(value) ?? []))
        if (each.status === 'active') found.set(each.id, each);
      const { total_count: total, total_pages: pages } = info;
      const isLast = typeof pages === 'number' ? page >= pages : result.length < PER_PAGE;
      if (isLast || result.length === 0 || (typeof total === 'number' && found.size >= total)) break;
    }
    return [...found.values()];
  }

  get #place(): string {
    return `zone ${this.#zone}`;
  }

  #path(id?: string): string {
    const all = `/zones/${encodeURIComponent(this.#zone)}/client_certificates`;
    return id === undefined ? all : `${all}/${encodeURIComponent(id)}`;
  }
}
