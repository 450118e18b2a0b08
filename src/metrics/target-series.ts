import { Counter, Gauge, type Registry } from 'prom-client';
import { earliest } from '../api/moments.ts';
import { TARGET_KINDS, type TargetKind } from '../api/trust-targets.ts';
import type { TargetMetrics } from '../trust-targets/reconcile.ts';
import type { SourceFinding } from '../trust-targets/sources.ts';
import type { Survey } from '../trust-targets/survey.ts';

const OUTCOMES = ['written', 'deleted', 'failed'] as const;

/** Objects of spec.trust.targets. The targets of an authority are at most 32. */
export class TargetSeries implements TargetMetrics {
  readonly #objects: Gauge<'authority' | 'target' | 'state'>;
  readonly #writes: Counter<'kind' | 'outcome'>;
  readonly #sources: Gauge<'authority' | 'source'>;
  readonly #readable: Gauge<'authority' | 'source'>;
  readonly #shownSources = new Map<string, readonly string[]>();
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
    this.#sources = new Gauge({
      name: 'certwheel_trust_source_not_after_timestamp_seconds',
      help: 'Expiry of the CA certificate of a source of spec.trust.sources that expires first.',
      labelNames: ['authority', 'source'],
      registers: [registry],
    });
    this.#readable = new Gauge({
      name: 'certwheel_trust_source_ready',
      help: 'Whether a source of spec.trust.sources could be read last: 1 or 0. At 0 its last known certificates stay in force.',
      labelNames: ['authority', 'source'],
      registers: [registry],
    });
    for (const kind of TARGET_KINDS) for (const outcome of OUTCOMES) this.#writes.inc({ kind, outcome }, 0);
  }

  showTargets(authority: string, { targets, sources }: Survey): void {
    this.#showSources(authority, sources);
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
    this.#showSources(authority, []);
    this.#remove(authority, new Set());
    this.#shown.delete(authority);
  }

  targetWritten(kind: TargetKind, outcome: (typeof OUTCOMES)[number]): void {
    this.#writes.inc({ kind, outcome });
  }

  /** Those that have expired too: an alert must not end with what it warns of. */
  #showSources(authority: string, sources: readonly SourceFinding[]): void {
    for (const source of this.#shownSources.get(authority) ?? [])
      for (const gauge of [this.#sources, this.#readable]) gauge.remove({ authority, source });
    for (const { name, certificates = [], trouble } of sources) {
      const labels = { authority, source: name };
      this.#readable.set(labels, trouble === undefined ? 1 : 0);
      const first = earliest(certificates.map(({ notAfter }) => notAfter));
      if (first !== undefined) this.#sources.set(labels, first.getTime() / 1000);
    }
    const shown = sources.map(({ name }) => name);
    if (shown.length === 0) this.#shownSources.delete(authority);
    else this.#shownSources.set(authority, shown);
  }

  #remove(authority: string, kept: ReadonlySet<string>): void {
    for (const target of this.#shown.get(authority) ?? []) {
      if (kept.has(target)) continue;
      for (const state of ['holding', 'waiting']) this.#objects.remove({ authority, target, state });
    }
  }
}
