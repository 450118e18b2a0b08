import { parseDuration } from '../../api/duration.ts';
import type { CloudflareBackend } from '../../api/generated/types.ts';
import type { RevocationReason } from '../../api/revocation.ts';
import { AuthorityError, classify, RetryableError } from '../../errors.ts';
import { CSR_LABEL } from '../../pki/csr.ts';
import { toPem } from '../../pki/pem.ts';
import type { Backend, ForgottenRequest, Issued, IssueRequest, Revocation, Trust } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { refuseOtherUsages } from '../shared/csr-usages.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import { readTrustBundle } from '../shared/trust-bundle.ts';
import { CloudflareApi } from './api.ts';
import { answerTo, daysFor, type ListedCertificate } from './certificates.ts';
import { ClientCertificates } from './client-certificates.ts';
import { keepHostnames } from './hostnames.ts';
import { revocable } from './superseded.ts';

const DEFAULT_REVOKE_AFTER_MS = 300_000;
/** In one check; the next one goes on. */
const MOST_REVOKED = 20;
/** Requests that were given up, of which the certificate is still to be revoked; more are left to expire. */
const MOST_LEFT = 1_000;
/** Requests that were answered and aren't over; a writer of Secrets can keep Certwheel from ending its own. */
const MOST_ANSWERS = 5_000;

/** The client certificates of one zone, from Cloudflare's managed CA. */
export class CloudflareZone implements Backend {
  readonly #spec: CloudflareBackend;
  readonly #deps: BackendDeps;
  readonly #api: CloudflareApi;
  readonly #certificates: ClientCertificates;
  readonly #quota: number;
  readonly #revokeAfterMs: number;
  /** By the id of the request, what Cloudflare calls the certificates that answered it: several where replicas asked at once. */
  readonly #answers = new Map<string, Set<string>>();
  /** See Books. */
  readonly #left = new Map<string, Date>();
  /** Being revoked to make room for a request. */
  readonly #taken = new Set<string>();
  #used = 0;

  constructor(spec: CloudflareBackend, deps: BackendDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#api = new CloudflareApi(spec, deps);
    this.#certificates = new ClientCertificates(this.#api, spec.zone);
    this.#quota = spec.maxCertificates;
    this.#revokeAfterMs = parseDuration(spec.revokeAfter) ?? DEFAULT_REVOKE_AFTER_MS;
  }

  /** In tenths of the quota: it stands in a status, which is written anew with each change. */
  readonly verified = (): string => {
    const tenths = Math.min(10, Math.ceil((10 * this.#used) / this.#quota));
    const most = Math.ceil((tenths * this.#quota) / 10);
    return `zone reachable, the API token may write; at most ${most} of ${this.#quota} certificates are in use`;
  };

  trust(): Promise<Trust> {
    return readTrustBundle(this.#spec.trustBundle, this.#deps);
  }

  /** Reach, token and zone; then what is declared of the zone, and what was superseded. */
  async check(signal: AbortSignal): Promise<void> {
    const listed = await this.#certificates.list();
    await this.#certificates.proveWrite(signal);
    await keepHostnames(this.#api, this.#spec, this.#deps, signal);
    const isOwner = this.#deps.owns();
    // Only this replica knows the requests that it has given up.
    const due = revocable(listed, this.#books(), this.#revokeAfterMs, this.#now()).filter(
      ({ id }) => isOwner || this.#left.has(id),
    );
    const gone = await this.#revokeSuperseded(due.slice(0, MOST_REVOKED), signal);
    const active = listed.filter(({ id }) => !gone.has(id));
    this.#used = active.length;
    this.#forgetLeft(active);
    if (active.length >= this.#quota && this.#spare(active).length === 0) throw this.#full(active.length);
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<Issued> {
    refuseOtherUsages(request);
    const csr = request.csr();
    const { anchors } = await this.trust();
    const days = daysFor(request.lifetimeMs, anchors, this.#now());
    const listed = await this.#certificates.list();
    const asked = { publicKey: request.publicKey, csr, days };
    // The books have an entry for each certificate of a fleet, and are seldom needed: most requests are the first.
    let published: ReadonlySet<string> | undefined;
    const isPublished = (serialNumber: string) => {
      published ??= new Set(this.#deps.booked().map((each) => each.serialNumber));
      return published.has(serialNumber);
    };
    const known = answerTo(asked, listed, isPublished, this.#now());
    if (known !== undefined) return this.#answer(request, known);
    if (listed.length >= this.#quota) await this.#makeRoom(listed, signal);
    const made = await this.#certificates.create(toPem(CSR_LABEL, csr), days, signal);
    if (made !== undefined) return this.#answer(request, made);
    throw new AuthorityError(
      'AuthorityBusy',
      `zone ${this.#spec.zone} takes no more client certificates (Cloudflare's error 1445) at ${listed.length} active ones, below maxCertificates ${this.#quota}: set maxCertificates to the quota of the zone, or have Cloudflare raise that`,
    );
  }

  /** An answer that was of no use is revoked by a later check, unless the books know it by then. */
  async forget({ id, isAbandoned }: Pick<ForgottenRequest, 'id' | 'isAbandoned'>): Promise<void> {
    for (const certificate of this.#answers.get(id) ?? [])
      if (isAbandoned && this.#left.size < MOST_LEFT) this.#left.set(certificate, this.#now());
    this.#answers.delete(id);
  }

  /** Cloudflare knows no reasons. */
  async revoke(
    { serialNumber, externalId }: Revocation,
    _reason: RevocationReason,
    signal: AbortSignal,
  ): Promise<void> {
    const id = await this.#certificates.idOf(serialNumber, externalId, signal);
    // Not among the active ones.
    if (id !== undefined) await this.#certificates.revoke(id, signal);
  }

  #answer(request: IssueRequest, { id, certificate }: ListedCertificate): Issued {
    const before = this.#answers.get(request.id) ?? new Set();
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= MOST_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.set(request.id, before.add(id));
    if (certificate === '')
      throw new RetryableError('RequestFailed', `${this.#api.server} answered without a certificate`);
    const refusal = (why: string) => new RetryableError('RequestFailed', `the certificate can't be read: ${why}`);
    return { chain: readCertificates([certificate], refusal), externalId: id };
  }

  /** Revokes the certificate that lost its use first, before its time. Throws an AuthorityError where there is none. */
  async #makeRoom(listed: readonly ListedCertificate[], signal: AbortSignal): Promise<void> {
    const spare = this.#spare(listed).slice(0, 1 + listed.length - this.#quota);
    if (spare.length <= listed.length - this.#quota) throw this.#full(listed.length);
    for (const { id } of spare) this.#taken.add(id);
    try {
      for (const { id, serialNumber } of spare) {
        await this.#certificates.revoke(id, signal);
        this.#log(
          'a superseded certificate was revoked early, since the quota of the zone is used up',
          id,
          serialNumber,
        );
      }
    } finally {
      for (const { id } of spare) this.#taken.delete(id);
    }
  }

  #spare(listed: readonly ListedCertificate[]): readonly ListedCertificate[] {
    return revocable(listed, this.#books(), 0, this.#now()).filter(({ id }) => !this.#taken.has(id));
  }

  /** Answers those that were revoked. What can't be is tried again by the next check, and stops no request meanwhile. */
  async #revokeSuperseded(due: readonly ListedCertificate[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const gone = new Set<string>();
    for (const { id, serialNumber } of due)
      try {
        await this.#certificates.revoke(id, signal);
        gone.add(id);
        this.#log('a superseded certificate was revoked', id, serialNumber);
      } catch (error) {
        const { code, message } = classify(error);
        const about = { authority: this.#deps.name, serial: serialNumber, code, error: message };
        this.#deps.log.warn('a superseded certificate could not be revoked', about);
        break;
      }
    return gone;
  }

  #forgetLeft(active: readonly ListedCertificate[]): void {
    const ids = new Set(active.map(({ id }) => id));
    for (const id of this.#left.keys()) if (!ids.has(id)) this.#left.delete(id);
  }

  #full(used: number): AuthorityError {
    const { zone } = this.#spec;
    return new AuthorityError(
      'AuthorityBusy',
      `${used} of ${this.#quota} client certificates of zone ${zone} are in use, and none of them was superseded: revoke certificates that nothing uses, or have Cloudflare raise the quota and set maxCertificates`,
    );
  }

  #books() {
    return { booked: this.#deps.booked(), left: this.#left };
  }

  #log(message: string, id: string, serial: string): void {
    this.#deps.log.info(message, { authority: this.#deps.name, zone: this.#spec.zone, id, serial });
  }

  #now(): Date {
    return this.#deps.clock.now();
  }
}
