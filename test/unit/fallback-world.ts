/** One ClientCertificate whose authority and fallback can both be away. Each decision is the controller's own. */
import type { RawObject } from '../../src/api/parse.ts';
import type { Backend } from '../../src/backends/backend.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import type { FallbackView, Observed } from '../../src/certificate/observed.ts';
import { AuthorityError, RetryableError } from '../../src/errors.ts';
import { bundleOf } from '../../src/pki/bundle.ts';
import { ALLOWED, type Permission } from '../../src/policy/permission.ts';
import { root } from '../pki/make.ts';
import { aCertificate, after, DAY } from './builders.ts';
import { CertificateWorld } from './certificate-world.ts';
import { anOwnAuthority } from './own-authority.ts';

export const reserveCa = await root({
  commonName: 'reserve',
  notBefore: after(-400 * DAY),
  notAfter: after(4000 * DAY),
});
const AWAY = { code: 'AuthorityUnreachable', message: 'no answer' } as const;

export class FallbackWorld extends CertificateWorld {
  /** Since when each is known to be away; undefined while it answers. */
  readonly awaySince: { own: Date | undefined; reserve: Date | undefined } = { own: undefined, reserve: undefined };
  /** Whether the fallback permits what is asked for. */
  permission: Permission = ALLOWED;
  /** What each answers in place of a certificate. */
  readonly refusals: { own?: Error | undefined; reserve?: Error | undefined } = {};
  /** Which of the two signed, in order. */
  readonly signedBy: ('own' | 'reserve')[] = [];
  readonly counted: string[] = [];
  readonly #reserve: { readonly view: AuthorityView; readonly backend: Backend };
  readonly #trust: AuthorityView['trust'];

  constructor(raw: RawObject = aCertificate().raw) {
    super(raw);
    this.#reserve = anOwnAuthority([reserveCa], this.clock);
    this.#trust = bundleOf([...this.ca.view.trust.anchors.values(), ...this.#reserve.view.trust.anchors.values()]);
    this.restart();
  }

  override restart(): void {
    super.restart();
    const { metrics } = this.deps;
    const backends = {
      own: this.#guarded('own', this.ca.backend),
      reserve: this.#guarded('reserve', this.#reserve.backend),
    };
    this.deps = {
      ...this.deps,
      runtime: ({ spec }) => ({
        backend: spec.authorityRef.name === 'reserve' ? backends.reserve : backends.own,
        turnstile: undefined,
        polls: undefined,
      }),
      assertServedByFallback: async () => {
        if (this.permission.is !== 'allowed') throw new RetryableError('DeniedByPolicy', 'this changed meanwhile');
        return undefined;
      },
      metrics: {
        ...metrics,
        fallbackIssued: (authority, fallback) => void this.counted.push(`${authority} ${fallback}`),
      },
    };
  }

  /** One of the two goes away, or comes back. */
  set(which: 'own' | 'reserve', isAway: boolean): void {
    this.awaySince[which] = isAway ? (this.awaySince[which] ?? this.clock.now()) : undefined;
  }

  get isLost(): boolean {
    return this.awaySince.own !== undefined && this.awaySince.reserve !== undefined;
  }

  override seen(): Observed {
    const { own, reserve } = this.awaySince;
    const { view } = this.ca;
    const authority: AuthorityView = {
      ...view,
      trust: this.#trust,
      ownTrust: view.trust,
      trouble: own && AWAY,
      troubleSince: own,
    };
    const resource = super.seen().resource;
    const authorityRef = { ...resource.spec.authorityRef, name: 'reserve' };
    const fallback: FallbackView = {
      resource: { ...resource, spec: { ...resource.spec, authorityRef } },
      authority: { ...this.#reserve.view, trouble: reserve && AWAY },
      permission: this.permission,
    };
    return super.seen().with({ authority, fallback: own && fallback });
  }

  #guarded(which: 'own' | 'reserve', backend: Backend): Backend {
    return {
      ...backend,
      issue: async (...asked) => {
        if (this.awaySince[which] !== undefined) throw new AuthorityError('AuthorityUnreachable', 'no answer');
        const refusal = this.refusals[which];
        if (refusal !== undefined) throw refusal;
        const answer = await backend.issue(...asked);
        this.signedBy.push(which);
        return answer;
      },
    };
  }
}
