import { Counter, Gauge, type Registry } from 'prom-client';
import { REVOCATION_REASONS } from '../api/revocation.ts';

/** Revocations that are done, and those that authorities owe. Only authorities that owe or have revoked some have a series. */
export class RevocationSeries {
  readonly #done: Counter<'authority_type' | 'reason'>;
  readonly #owed: Gauge<'authority'>;
  readonly #oldest: Gauge<'authority'>;
  readonly #crlBegins: Gauge<'authority' | 'generation'>;
  readonly #crlEnds: Gauge<'authority' | 'generation'>;
  readonly #generations = new Map<string, readonly string[]>();

  constructor(registry: Registry, authorityTypes: readonly string[]) {
    const registers = [registry];
    this.#done = new Counter({
      name: 'certwheel_revocations_total',
      help: 'Certificates that were revoked.',
      labelNames: ['authority_type', 'reason'],
      registers,
    });
    this.#owed = new Gauge({
      name: 'certwheel_revocations_owed',
      help: 'Certificates that are still to be revoked.',
      labelNames: ['authority'],
      registers,
    });
    this.#oldest = new Gauge({
      name: 'certwheel_revocation_owed_since_timestamp_seconds',
      help: 'Since when the oldest of them is owed; absent if none is.',
      labelNames: ['authority'],
      registers,
    });
    this.#crlBegins = new Gauge({
      name: 'certwheel_crl_this_update_timestamp_seconds',
      help: 'Start of validity of the CRL of a CA generation.',
      labelNames: ['authority', 'generation'],
      registers,
    });
    this.#crlEnds = new Gauge({
      name: 'certwheel_crl_next_update_timestamp_seconds',
      help: 'Expiry of the CRL of a CA generation.',
      labelNames: ['authority', 'generation'],
      registers,
    });
    for (const authority_type of authorityTypes)
      for (const reason of REVOCATION_REASONS) this.#done.inc({ authority_type, reason }, 0);
  }

  revoked(authority_type: string, reason: string): void {
    this.#done.inc({ authority_type, reason });
  }

  show(
    authority: string,
    {
      owed,
      oldestOwed,
      revoked,
    }: { readonly owed: number; readonly oldestOwed: Date | undefined; readonly revoked: number },
    crls: readonly { readonly generation: number; readonly thisUpdate: string; readonly nextUpdate: string }[],
  ): void {
    if (owed + revoked > 0) this.#owed.set({ authority }, owed);
    else this.#owed.remove({ authority });
    if (oldestOwed === undefined) this.#oldest.remove({ authority });
    else this.#oldest.set({ authority }, oldestOwed.getTime() / 1000);
    this.#hideCrls(authority);
    for (const { generation, thisUpdate, nextUpdate } of crls) {
      const labels = { authority, generation: String(generation) };
      this.#crlBegins.set(labels, Date.parse(thisUpdate) / 1000);
      this.#crlEnds.set(labels, Date.parse(nextUpdate) / 1000);
    }
    if (crls.length > 0)
      this.#generations.set(
        authority,
        crls.map(({ generation }) => String(generation)),
      );
  }

  hide(authority: string): void {
    this.#owed.remove({ authority });
    this.#oldest.remove({ authority });
    this.#hideCrls(authority);
  }

  #hideCrls(authority: string): void {
    for (const generation of this.#generations.get(authority) ?? []) this.#hideCrl({ authority, generation });
    this.#generations.delete(authority);
  }

  #hideCrl(labels: { readonly authority: string; readonly generation: string }): void {
    this.#crlBegins.remove(labels);
    this.#crlEnds.remove(labels);
  }
}
