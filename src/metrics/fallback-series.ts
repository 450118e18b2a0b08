import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * Certificates that a fallback issued, and whether it could issue one now. Only authorities that name a fallback have
 * series, one each.
 */
export class FallbackSeries {
  readonly #issues: Counter<'authority' | 'fallback'>;
  readonly #ready: Gauge<'authority' | 'fallback'>;
  readonly #named = new Map<string, string>();

  constructor(registry: Registry) {
    this.#issues = new Counter({
      name: 'certwheel_fallback_issues_total',
      help: 'Certificates of an authority that its fallback issued.',
      labelNames: ['authority', 'fallback'],
      registers: [registry],
    });
    this.#ready = new Gauge({
      name: 'certwheel_fallback_ready',
      help: '1 if the fallback of the authority can issue, otherwise 0.',
      labelNames: ['authority', 'fallback'],
      registers: [registry],
    });
  }

  /** What an authority names now. Begins at zero, so that the first issue is an increase. */
  show(authority: string, fallback: string | undefined, isReady: boolean): void {
    if (this.#named.get(authority) !== fallback) this.hide(authority);
    if (fallback === undefined) return;
    this.#named.set(authority, fallback);
    this.#issues.inc({ authority, fallback }, 0);
    this.#ready.set({ authority, fallback }, isReady ? 1 : 0);
  }

  issued(authority: string, fallback: string): void {
    // It may have been taken out of the spec while the certificate was published.
    if (this.#named.get(authority) === fallback) this.#issues.inc({ authority, fallback });
  }

  hide(authority: string): void {
    const fallback = this.#named.get(authority);
    if (fallback === undefined) return;
    this.#issues.remove({ authority, fallback });
    this.#ready.remove({ authority, fallback });
    this.#named.delete(authority);
  }
}
