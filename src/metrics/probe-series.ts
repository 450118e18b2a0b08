import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Answer } from '../probes/answer.ts';
import type { VerifierRecord } from '../probes/record.ts';

const DURATION_BUCKETS = [0.01, 0.05, 0.25, 1, 2.5, 10];

/** What verifiers answer. Only those that a spec names now have series; their number is bounded for each namespace. */
export class ProbeSeries {
  readonly #total: Counter<'authority' | 'verifier' | 'certificate' | 'result'>;
  readonly #duration: Histogram<'authority' | 'verifier'>;
  readonly #trusts: Gauge<'authority' | 'verifier' | 'generation'>;
  readonly #acceptsRogue: Gauge<'authority' | 'verifier'>;
  readonly #serverNotAfter: Gauge<'authority' | 'verifier'>;
  readonly #signed: Counter<'authority'>;
  /** The generations of a verifier that have series. */
  readonly #shown = new Map<string, readonly string[]>();

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ['authority', 'verifier'] as const;
    this.#total = new Counter({
      name: 'certwheel_probe_total',
      help: 'Answers of verifiers to a genuine and to a rogue certificate: accepted, rejected, closed or unknown.',
      labelNames: [...labelNames, 'certificate', 'result'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'certwheel_probe_duration_seconds',
      help: 'Duration of a connection to a verifier, from TCP to the answer.',
      labelNames,
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#trusts = new Gauge({
      name: 'certwheel_verifier_trusts',
      help: '1 if every endpoint of the verifier trusts the CA generation and rejects rogue certificates, otherwise 0.',
      labelNames: [...labelNames, 'generation'],
      registers,
    });
    this.#acceptsRogue = new Gauge({
      name: 'certwheel_verifier_accepts_rogue',
      help: '1 if an endpoint of the verifier accepts certificates of a foreign CA, otherwise 0.',
      labelNames,
      registers,
    });
    this.#serverNotAfter = new Gauge({
      name: 'certwheel_verifier_server_certificate_not_after_timestamp_seconds',
      help: "Earliest expiry among the verifier's own certificates; absent while none is trusted.",
      labelNames,
      registers,
    });
    this.#signed = new Counter({
      name: 'certwheel_probe_certificates_total',
      help: 'Certificates of 10 minutes that were signed to be shown to verifiers.',
      labelNames: ['authority'],
      registers,
    });
  }

  probed(authority: string, verifier: string, certificate: 'genuine' | 'rogue', { outcome, seconds }: Answer): void {
    this.#total.inc({ authority, verifier, certificate, result: outcome.toLowerCase() });
    this.#duration.observe({ authority, verifier }, seconds);
  }

  signed(authority: string): void {
    this.#signed.inc({ authority });
  }

  show(authority: string, verifier: string, { generations, serverNotAfter }: VerifierRecord): void {
    const key = `${authority}#${verifier}`;
    const shown = generations.map(({ version }) => `${version}`);
    for (const generation of this.#shown.get(key) ?? [])
      if (!shown.includes(generation)) this.#trusts.remove({ authority, verifier, generation });
    this.#shown.set(key, shown);
    for (const { version, verdict } of generations)
      this.#trusts.set({ authority, verifier, generation: `${version}` }, verdict === 'Trusts' ? 1 : 0);
    const isOpen = generations.some(({ verdict }) => verdict === 'AcceptsRogue');
    this.#acceptsRogue.set({ authority, verifier }, isOpen ? 1 : 0);
    if (serverNotAfter === undefined) this.#serverNotAfter.remove({ authority, verifier });
    else this.#serverNotAfter.set({ authority, verifier }, serverNotAfter.getTime() / 1_000);
  }

  hide(authority: string, verifier: string): void {
    const key = `${authority}#${verifier}`;
    for (const generation of this.#shown.get(key) ?? []) this.#trusts.remove({ authority, verifier, generation });
    this.#shown.delete(key);
    for (const certificate of ['genuine', 'rogue'])
      for (const result of ['accepted', 'rejected', 'closed', 'unknown'])
        this.#total.remove({ authority, verifier, certificate, result });
    for (const metric of [this.#duration, this.#acceptsRogue, this.#serverNotAfter])
      metric.remove({ authority, verifier });
  }

  /** The authority is gone. */
  hideAuthority(authority: string): void {
    this.#signed.remove({ authority });
  }
}
