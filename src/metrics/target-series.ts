import { Counter, Gauge, type Registry } from 'prom-client';
import { TARGET_KINDS, type TargetKind } from '../api/trust-targets.ts';
import type { TargetMetrics } from '../trust-targets/reconcile.ts';
import type { Survey } from '../trust-targets/survey.ts';

const OUTCOMES = ['written', 'deleted', 'failed'] as const;

/** Objects of spec.trust.targets. The targets of an authority are at most 32. */
export class TargetSeries implements TargetMetrics {
  readonly #objects: Gauge<'authority' | 'target' | 'state'>;
  readonly #writes: Counter<'kind' | 'outcome'>;
  readonly #shown = new Map<string, readonly string[]>();

  constructor(registry: Registry) {
    this.#objects = new Gauge({
      name: 'certwheel_trust_target_objects',
      help: 'Objects of a trust target of an authority: holding its CA certificates, or waiting for them.',
      labelNames: ['authority', 'target', 'state'],
      registers: [registry],
    });
    this.#writes = new Counter({
      name: 'certwheel_trust_target_writes_total',
      help: 'Writes of trust targets, by outcome: written, deleted or failed.',
      labelNames: ['kind', 'outcome'],
      registers: [registry],
    });
    for (const kind of TARGET_KINDS) for (const outcome of OUTCOMES) this.#writes.inc({ kind, outcome }, 0);
  }

  showTargets(authority: string, { targets }: Survey): void {
    const names = targets.map(({ target }) => target.name);
    this.#remove(authority, new Set(names));
    for (const { target, objects } of targets) {
      const holding = objects.filter(({ isHolding }) => isHolding).length;
      const of = (state: string) => ({ authority, target: target.name, state });
      this.#objects.set(of('holding'), holding);
      this.#objects.set(of('waiting'), objects.length - holding);
    }
    if (names.length === 0) this.#shown.delete(authority);
    else this.#shown.set(authority, names);
  }

  hideTargets(authority: string): void {
    this.#remove(authority, new Set());
    this.#shown.delete(authority);
  }

  targetWritten(kind: TargetKind, outcome: (typeof OUTCOMES)[number]): void {
    this.#writes.inc({ kind, outcome });
  }

  #remove(authority: string, kept: ReadonlySet<string>): void {
    for (const target of this.#shown.get(authority) ?? []) {
      if (kept.has(target)) continue;
      for (const state of ['holding', 'waiting']) this.#objects.remove({ authority, target, state });
    }
  }
}
