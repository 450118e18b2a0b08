import type { StepCABackend } from '../../api/generated/types.ts';
import { AuthorityError, DeniedError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { chainsTo } from '../../pki/chain.ts';
import { isSelfSigned, newEffort } from '../../pki/signed-by.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { guardedLookup } from '../http/address.ts';
import { AuthorityHttp } from '../http/client.ts';
import { refusalError } from '../http/errors.ts';
import type { JsonAnswer, JsonRequest } from '../http/json.ts';
import { membersOf, textsOf } from '../http/json-members.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import { fetchRoot } from './bootstrap.ts';

/** More than any rotation of roots needs. */
const MAX_ROOTS = 32;
const TRUST_HINT = 'rootFingerprints must name the root that it leads to; while one is being replaced, name both';
/** step-ca gives at most 100 provisioners at once. */
const PAGE = 100;
const MAX_PAGES = 20;
const LONGEST_CURSOR = 1_024;

type ServerDeps = Pick<BackendDeps, 'addresses' | 'clock' | 'objects'>;

/** The requests of step-ca's API that are made of it, over TLS that leads to a pinned root. */
export class StepServer {
  readonly #spec: StepCABackend;
  readonly #deps: ServerDeps;
  #pinned: readonly CertificateView[] = [];
  #roots: readonly CertificateView[] = [];
  #http: AuthorityHttp | undefined;

  constructor(spec: StepCABackend, deps: ServerDeps) {
    this.#spec = spec;
    this.#deps = deps;
  }

  /** The address of an endpoint, as one-time tokens name it. */
  endpoint(path: string): string {
    return `${new URL(this.#spec.server).origin}${path}`;
  }

  /** The roots that step-ca lists: one, or several while one gives way to another. */
  async roots(signal: AbortSignal): Promise<readonly CertificateView[]> {
    const { body } = await this.#ask({ method: 'GET', path: '/roots' }, 'the list of its roots', signal);
    const { crts } = membersOf(body);
    const roots = this.#certificates(textsOf(crts), '/roots', MAX_ROOTS);
    if (roots.length === 0) throw this.#nonsense('/roots with no certificate');
    const effort = newEffort();
    if (!roots.every((each) => each.isCA && isSelfSigned(each, effort)))
      throw this.#nonsense('/roots with a certificate that is no root');
    // From here on they are believed, so that the connection outlives a change of the root.
    if (!sameCertificates(roots, this.#roots)) this.#http = undefined;
    this.#roots = roots;
    return roots;
  }

  /** Whether the chain leads to a root that it has listed; where it never was asked, there is nothing to compare with. */
  knows(chain: readonly CertificateView[]): boolean {
    return chain.length === 0 || this.#roots.length === 0 || chainsTo(chain, this.#roots);
  }

  async checkHealth(signal: AbortSignal): Promise<void> {
    const { body } = await this.#ask({ method: 'GET', path: '/health' }, 'its health', signal);
    const { status } = membersOf(body);
    if (status !== 'ok') throw this.#nonsense('/health with something else than ok');
  }

  async provisioners(signal: AbortSignal): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    let cursor = '';
    for (let page = 0; page < MAX_PAGES; page++) {
      const path = `/provisioners?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await this.#ask({ method: 'GET', path }, 'the list of its provisioners', signal);
      const { provisioners, nextCursor } = membersOf(body);
      if (!Array.isArray(provisioners) || provisioners.length > PAGE)
        throw this.#nonsense(`/provisioners without a list of at most ${PAGE}`);
      found.push(...provisioners);
      if (typeof nextCursor !== 'string' || nextCursor === '' || nextCursor.length > LONGEST_CURSOR) break;
      cursor = nextCursor;
    }
    return found;
  }

  /** The encrypted key that step-ca hands out; undefined where it has none. */
  async encryptedKey(kid: string, signal: AbortSignal): Promise<string | undefined> {
    const path = `/provisioners/${encodeURIComponent(kid)}/encrypted-key`;
    const answer = await this.#send({ method: 'GET', path }, signal);
    if (answer.status === 404) return undefined;
    const { key } = membersOf(this.#accepted(answer, "the provisioner's encrypted key").body);
    return typeof key === 'string' && key !== '' ? key : undefined;
  }

  /** Leaf first, then intermediates. */
  async sign(
    csr: string,
    token: string,
    lifetimeMs: number,
    templateData: object,
    signal: AbortSignal,
  ): Promise<readonly CertificateView[]> {
    // Counted from step-ca's own clock; what it backdates comes on top of it.
    const notAfter = `${Math.max(1, Math.round(lifetimeMs / 1000))}s`;
    const body = { csr, ott: token, notAfter, templateData };
    const answer = await this.#order(
      { method: 'POST', path: '/1.0/sign', body, secrets: [token] },
      'the request',
      signal,
    );
    const { certChain, crt, ca } = membersOf(answer.body);
    return this.#certificates(textsOf(Array.isArray(certChain) ? certChain : [crt, ca]), '/sign');
  }

  /** Marks a serial number (decimal) as revoked. Once more is no error. */
  async revoke(serial: string, token: string, reasonCode: number, reason: string, signal: AbortSignal): Promise<void> {
    // Anything but passive is answered 501: step-ca refuses renewals, and lists it in its CRL if it has one.
    const body = { serial, ott: token, reasonCode, reason, passive: true };
    const request: JsonRequest = { method: 'POST', path: '/1.0/revoke', body, secrets: [token] };
    const answer = await this.#send(request, signal);
    if (answer.status === 400 && answer.message.includes('already revoked')) return;
    this.#ordered(answer, 'the revocation');
  }

  async #ask(request: JsonRequest, what: string, signal: AbortSignal): Promise<JsonAnswer> {
    return this.#accepted(await this.#send(request, signal), what);
  }

  async #order(request: JsonRequest, what: string, signal: AbortSignal): Promise<JsonAnswer> {
    return this.#ordered(await this.#send(request, signal), what);
  }

  #accepted(answer: JsonAnswer, what: string): JsonAnswer {
    if (answer.status < 300) return answer;
    throw (
      refusalError(answer, this.#spec.server, what) ??
      new AuthorityError(
        'AuthorityMisconfigured',
        `${this.#spec.server}: ${what} was answered ${answer.status}: ${answer.message}`,
      )
    );
  }

  /** Where a token went along: 401 is about the token, 403 and 400 about what was asked for. */
  #ordered(answer: JsonAnswer, what: string): JsonAnswer {
    const { status, message } = answer;
    if (status === 400 || status === 403)
      throw new DeniedError('RequestDenied', `step-ca refused ${what} (HTTP ${status}): ${message}`);
    if (status === 401)
      throw new AuthorityError(
        'CredentialsRefused',
        `step-ca refused the one-time token (HTTP 401): ${message}; its host must be in dnsNames of ca.json, its clock within a minute of ours`,
      );
    return this.#accepted(answer, what);
  }

  async #send(request: JsonRequest, signal: AbortSignal): Promise<JsonAnswer> {
    const http = await this.#connect(signal);
    try {
      return await http.json(request, signal);
    } catch (error) {
      // A root that is named ahead of its time may have come meanwhile.
      if (error instanceof AuthorityError && error.code === 'AuthorityNotTrusted') this.#forgetRoots();
      throw error;
    }
  }

  #forgetRoots(): void {
    this.#pinned = [];
    this.#http = undefined;
  }

  async #connect(signal: AbortSignal): Promise<AuthorityHttp> {
    const { server, rootFingerprints } = this.#spec;
    if (this.#pinned.length === 0) this.#pinned = await this.#fetchPinned(rootFingerprints, signal);
    const caBundle = [...this.#pinned, ...this.#roots].map(({ pem }) => pem).join('');
    const { addresses: rules, clock, objects } = this.#deps;
    const { namespace } = objects;
    this.#http ??= new AuthorityHttp({ server, caBundle, trustHint: TRUST_HINT, rules, namespace, clock });
    return this.#http;
  }

  /** Those of the pinned roots that step-ca has: one that is named ahead of its time, or is long gone, does no harm. */
  async #fetchPinned(fingerprints: readonly string[], signal: AbortSignal): Promise<CertificateView[]> {
    const { addresses: rules, objects } = this.#deps;
    const lookup = guardedLookup(rules, objects.namespace);
    const results = await Promise.allSettled(
      fingerprints.map((each) => fetchRoot(this.#spec.server, each, { rules, lookup }, signal)),
    );
    const found = results.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const [failed] = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    if (found.length === 0) throw failed;
    return found;
  }

  #certificates(pems: readonly string[], path: string, most?: number): CertificateView[] {
    return readCertificates(pems, (why) => this.#nonsense(`${path} with what can't be read: ${why}`), most);
  }

  #nonsense(what: string): AuthorityError {
    return new AuthorityError('InvalidAnswer', `${this.#spec.server} answered to ${what}`);
  }
}

function sameCertificates(some: readonly CertificateView[], others: readonly CertificateView[]): boolean {
  const ids = (list: readonly CertificateView[]) =>
    list
      .map(({ fingerprintSHA256 }) => fingerprintSHA256)
      .sort()
      .join();
  return ids(some) === ids(others);
}
