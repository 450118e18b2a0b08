import type { SpiffeBundleSource } from '../api/generated/types.ts';
import type { AddressRules } from '../backends/http/address.ts';
import { AuthorityHttp } from '../backends/http/client.ts';
import { Concealment } from '../backends/http/conceal-errors.ts';
import { pemOf } from '../backends/http/connection.ts';
import { membersOf } from '../backends/http/json-members.ts';
import type { ServerIdentity } from '../backends/http/secure-context.ts';
import { anchorProblem } from '../backends/shared/readable-trust.ts';
import type { Clock } from '../clock.ts';
import { AuthorityError, classify } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type CertificateView, distinct } from '../pki/certificate.ts';
import { readSpiffeBundle, serverIdProblem, trustDomainProblem } from '../pki/spiffe-bundle.ts';
import { messageOf } from '../thrown.ts';
import { refusedSentences } from './sources.ts';

/** PEM of the CA certificates of one bundle. With a mebibyte a partner could leave no room for the CA of the authority. */
const MOST_BYTES = 262_144;

/** What an endpoint answered. */
export interface ReadBundle {
  /** Those that verifiers can trust, at least one. */
  readonly certificates: readonly CertificateView[];
  /** The others, as sentences. */
  readonly refused: readonly string[];
  readonly refreshHintMs: number | undefined;
}

export interface EndpointDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the endpoint may be. */
  readonly rules: AddressRules;
  /** The authority, for the log. */
  readonly name: string;
  /** On whose behalf it is asked, see HttpOptions. */
  readonly namespace: string;
  /** Whether the authority is a cluster administrator's, who may read what is wrong with any server. */
  readonly clusterWide: boolean;
}

/** A bundle endpoint, and how its server shows who it is (SPIFFE Federation, section 5). */
export class BundleEndpoint {
  readonly #source: SpiffeBundleSource;
  readonly #deps: EndpointDeps;
  readonly #concealment: Concealment | undefined;
  /** Made anew for other anchors alone: it remembers when the server asked to be left alone. */
  #http: { readonly http: AuthorityHttp; readonly anchors: readonly CertificateView[] | undefined } | undefined;

  constructor(source: SpiffeBundleSource, deps: EndpointDeps) {
    this.#source = source;
    this.#deps = deps;
    this.#concealment = deps.clusterWide
      ? undefined
      : new Concealment(source.endpoint, 'a SPIFFE bundle endpoint', deps);
  }

  /**
   * Asks once, within 10 s and 1 MiB. `known` is the bundle that was read last, which verifies a server of the profile
   * https_spiffe; undefined for that of the spec. Throws an AuthorityError TrustEndpointUnreachable or TrustBundleRefused.
   */
  async read(known: readonly CertificateView[] | undefined, signal: AbortSignal): Promise<ReadBundle> {
    try {
      const ask = () => this.#ask(known, signal);
      return await (this.#concealment?.around(ask) ?? ask());
    } catch (thrown) {
      const error = classify(thrown);
      if (error.code === 'TrustBundleRefused' || error.code === 'Unexpected') throw error;
      const { message, retryAfterMs, cause } = error;
      throw new AuthorityError('TrustEndpointUnreachable', message, { retryAfterMs, cause });
    }
  }

  async #ask(known: readonly CertificateView[] | undefined, signal: AbortSignal): Promise<ReadBundle> {
    const http = this.#connectionFor(known);
    const { pathname } = new URL(this.#source.endpoint);
    const { status, body, message, retryAfterMs } = await http.json({ method: 'GET', path: pathname }, signal);
    if (status !== 200) {
      const said = message === '' ? '' : `: ${message}`;
      const problem = `${http.server} answered HTTP ${status} in place of a bundle${said}`;
      throw new AuthorityError('TrustEndpointUnreachable', problem, { unproven: true, retryAfterMs });
    }
    try {
      return this.#judge(body);
    } catch (error) {
      // An answer of another kind may come from a server that the author of a CertificateAuthority must not learn of.
      const isBundle = Array.isArray(membersOf(body).keys);
      throw new AuthorityError('TrustBundleRefused', `${http.server}: ${messageOf(error)}`, { unproven: !isBundle });
    }
  }

  #judge(body: unknown): ReadBundle {
    const { certificates: all, refreshHintMs } = readSpiffeBundle(body);
    const { trustDomain } = this.#source;
    const now = this.#deps.clock.now();
    const problems = new Map(all.map((each) => [each, problemOf(each, trustDomain)]));
    const certificates = distinct(all.filter((each) => problems.get(each) === undefined));
    const refused = refusedSentences(problems);
    // An empty bundle is more likely a mistake than the wish to cut off every client of the trust domain.
    if (!certificates.some(({ notAfter }) => notAfter > now)) {
      const why = refused[0] ?? (certificates.length > 0 ? 'all have expired' : 'it has no key of the use x509-svid');
      throw new Error(`the bundle has no CA certificate that is valid: ${why}`);
    }
    const bytes = certificates.reduce((sum, { pem }) => sum + pem.length, 0);
    if (bytes > MOST_BYTES)
      throw new Error(`its CA certificates have ${bytes} bytes in PEM, and at most ${MOST_BYTES} are taken`);
    return { certificates, refused, refreshHintMs };
  }

  #connectionFor(known: readonly CertificateView[] | undefined): AuthorityHttp {
    const { profile } = this.#source;
    const anchors = profile === 'https_spiffe' ? (known ?? this.#bootstrap()) : undefined;
    if (this.#http === undefined || !isSame(this.#http.anchors, anchors))
      this.#http = { http: this.#connect(anchors), anchors };
    return this.#http.http;
  }

  #bootstrap(): readonly CertificateView[] {
    try {
      const { certificates } = readSpiffeBundle(JSON.parse(this.#source.bundle ?? '{}'));
      if (certificates.length === 0) throw new Error('it has no key of the use x509-svid');
      return certificates;
    } catch (error) {
      throw new AuthorityError('TrustBundleRefused', `spiffeBundle.bundle can't be used: ${messageOf(error)}`);
    }
  }

  #connect(anchors: readonly CertificateView[] | undefined): AuthorityHttp {
    const { endpoint, caBundle, endpointSPIFFEID = '' } = this.#source;
    const { clock, rules, namespace } = this.#deps;
    const identity: ServerIdentity | undefined = anchors && {
      anchors,
      problem: (der) => serverIdProblem(der, endpointSPIFFEID),
    };
    return new AuthorityHttp({
      server: new URL(endpoint).origin,
      field: 'endpoint',
      rules,
      namespace,
      clock,
      ...(identity === undefined
        ? { caBundle: pemOf(caBundle) }
        : { identity, trustHint: 'put the present bundle of the trust domain into bundle' }),
    });
  }
}

function problemOf(certificate: CertificateView, trustDomain: string): string | undefined {
  if (!certificate.isCA) return 'is not a CA';
  return trustDomainProblem(certificate, trustDomain) ?? anchorProblem(certificate);
}

function isSame(one: readonly CertificateView[] | undefined, other: readonly CertificateView[] | undefined): boolean {
  const idOf = (list: readonly CertificateView[] | undefined) =>
    list?.map(({ fingerprintSHA256 }) => fingerprintSHA256).join();
  return idOf(one) === idOf(other);
}
