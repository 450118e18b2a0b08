import type { AcmeSolverSelector } from '../../../api/generated/types.ts';
import { ACME_ACCOUNTS_NAME, CONFIG_MAPS } from '../../../api/names.ts';
import { ApiError, DeniedError, RetryableError } from '../../../errors.ts';
import type { BackendDeps } from '../../backend-deps.ts';
import type { Solver, SolverChallenge } from '../solver.ts';
import { type Finding, lookAt } from './http01-look.ts';
import { parseAccount, type ResponderAccount } from './responder-accounts.ts';
import { provenName } from './select.ts';

export type HttpDeps = Pick<BackendDeps, 'objects' | 'addresses' | 'clock' | 'log' | 'clusterWide' | 'name'>;

/**
 * Has the responder answer for the account of the authority: its thumbprint goes into a ConfigMap, which the responder mounts.
 * The responder answers any token for an account, so the account's key proves every name that leads to the responder.
 * Therefore the key must be the controller's own: that of a ClusterCertificateAuthority.
 */
export class Http01 implements Solver {
  readonly type = 'http-01';
  readonly #selectors: readonly AcmeSolverSelector[];
  readonly #deps: HttpDeps;
  readonly #port: number;

  /** `selectors` are those of all http01 solvers of the authority. `port` is where a CA looks, 80 by RFC 8555 section 8.3. */
  constructor(selectors: readonly AcmeSolverSelector[], deps: HttpDeps, port = 80) {
    this.#selectors = selectors;
    this.#deps = deps;
    this.#port = port;
  }

  async present(challenge: SolverChallenge, signal: AbortSignal): Promise<void> {
    if (!this.#deps.clusterWide)
      throw new DeniedError(
        'UnsupportedByAuthority',
        'http01 is for a ClusterCertificateAuthority, since all namespaces share the responder; use dns01, or move the authority',
      );
    const isNew = await this.#register(challenge.thumbprint);
    const { domain, token, keyAuthorization } = challenge;
    const path = `/.well-known/acme-challenge/${token}`;
    const found = await lookAt(provenName(domain), this.#port, path, this.#deps, signal);
    this.#judge(found, keyAuthorization, provenName(domain), isNew);
  }

  /** The account stays: its next challenge is answered at once. */
  async cleanUp(): Promise<void> {}

  /** The controller's view is only a hint where something else than the responder answers: the CA may be in another network. */
  #judge(found: Finding, expected: string, domain: string, isNew: boolean): void {
    if (found.body === expected) return;
    if (isNew || found.isResponder)
      throw new RetryableError(
        'ChallengeFailed',
        `the ACME responder does not answer for ${domain} with this account yet; the kubelet brings a new account into its volume within two minutes. If this stays, see whether an older account in ConfigMap ${this.#deps.objects.namespace}/${ACME_ACCOUNTS_NAME} has the same names`,
      );
    const { log, name } = this.#deps;
    log.warn('a challenge of type http-01 is not seen by the controller; the CA is asked nevertheless', {
      authority: name,
      domain,
      found: found.problem ?? 'something else answers; route /.well-known/acme-challenge/ to the ACME responder',
    });
  }

  async #register(thumbprint: string): Promise<boolean> {
    const { objects } = this.#deps;
    try {
      return await this.#write(thumbprint);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      throw new RetryableError(
        'BackendForbidden',
        `Certwheel may not write ConfigMap ${objects.namespace}/${ACME_ACCOUNTS_NAME}; set acmeResponder.enabled in the values of the chart`,
      );
    }
  }

  /** Whether it was not there. A lost race is a conflict, and tried again. */
  async #write(thumbprint: string): Promise<boolean> {
    const { objects, name, clock } = this.#deps;
    const current = await objects.get(CONFIG_MAPS, ACME_ACCOUNTS_NAME);
    const data = (current?.data ?? {}) as Readonly<Record<string, string>>;
    const stored = Object.hasOwn(data, name) ? parseAccount(data[name] ?? '') : undefined;
    const entry = JSON.stringify(accountOf(thumbprint, this.#selectors, stored, clock.now()));
    if (data[name] === entry) return false;
    const resourceVersion = current?.metadata?.resourceVersion ?? '1';
    const metadata = { name: ACME_ACCOUNTS_NAME, resourceVersion };
    await objects.apply(CONFIG_MAPS, { metadata, data: { ...data, [name]: entry } });
    return true;
  }
}

/** An account that is known keeps its place among those for the same names. */
export function accountOf(
  thumbprint: string,
  selectors: readonly AcmeSolverSelector[],
  stored: ResponderAccount | undefined,
  now: Date,
): ResponderAccount {
  return { thumbprint, since: stored?.since ?? now.toISOString(), selectors };
}
