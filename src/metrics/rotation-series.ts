import { Counter, Gauge, type Registry } from 'prom-client';
import type { CAGeneration } from '../api/generated/types.ts';
import { type RotationFindings, standstillOf } from '../authority/rotation-status.ts';

/** The states before which a CA rotation waits for others, and no longer than until a deadline. */
const OVERRULING = ['Trusted', 'Active', 'Retired'] as const;

/** What a CA rotation waits for, and how many certificates each generation has; only while one is under way. */
export class RotationSeries {
  readonly #waiting: Gauge<'authority' | 'to' | 'reason'>;
  readonly #certificates: Gauge<'authority' | 'generation' | 'state'>;
  readonly #overruled: Counter<'authority' | 'to'>;
  /** The labels of the series that an authority has now. */
  readonly #shown = new Map<string, { readonly remove: () => void }[]>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#waiting = new Gauge({
      name: 'certwheel_ca_rotation_waiting',
      help: '1 while a CA rotation waits for the reason before it enters the state `to`; absent otherwise.',
      labelNames: ['authority', 'to', 'reason'],
      registers,
    });
    this.#certificates = new Gauge({
      name: 'certwheel_ca_generation_certificates',
      help: 'Secrets with a valid certificate of the CA generation; only during a CA rotation.',
      labelNames: ['authority', 'generation', 'state'],
      registers,
    });
    this.#overruled = new Counter({
      name: 'certwheel_ca_rotation_overruled_total',
      help: 'Steps of a CA rotation that no longer waited for Secrets, trust targets, verifiers or certificates, by the state entered.',
      labelNames: ['authority', 'to'],
      registers,
    });
  }

  /** Only where a CA rotation was under way before: `show` has begun the series at zero, so this is an increase. */
  overruled(authority: string, to: CAGeneration['state']): void {
    this.#overruled.inc({ authority, to });
  }

  show(authority: string, findings: RotationFindings): void {
    const { plan, generations, certificates } = findings;
    this.hide(authority);
    const shown = [];
    const { next, hold } = plan;
    const waiting =
      next !== undefined && hold !== undefined ? { to: next.to, reason: hold.reason } : standstillOf(findings);
    if (next !== undefined) for (const to of OVERRULING) this.#overruled.inc({ authority, to }, 0);
    if (waiting !== undefined) {
      const labels = { authority, ...waiting };
      this.#waiting.set(labels, 1);
      shown.push({ remove: () => this.#waiting.remove(labels) });
    }
    for (const { version, state } of generations) {
      const count = certificates.get(version);
      if (count === undefined) continue;
      const labels = { authority, generation: String(version), state };
      this.#certificates.set(labels, count);
      shown.push({ remove: () => this.#certificates.remove(labels) });
    }
    if (shown.length > 0) this.#shown.set(authority, shown);
  }

  hide(authority: string): void {
    for (const each of this.#shown.get(authority) ?? []) each.remove();
    this.#shown.delete(authority);
  }

  /** The authority is gone. */
  hideAuthority(authority: string): void {
    this.hide(authority);
    for (const to of OVERRULING) this.#overruled.remove({ authority, to });
  }
}
