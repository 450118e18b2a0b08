import { Gauge, Histogram, type Registry } from 'prom-client';
import { authorityKey } from './api/certificate-authority.ts';
import { type AuthorityRef, conditionsOf } from './api/client-certificate.ts';
import type { ClientCertificateStatus } from './api/generated/types.ts';
import type { Clock } from './clock.ts';

const LABELS = ['namespace', 'name', 'authority'] as const;
type Labels = Record<(typeof LABELS)[number], string>;

const HOUR = 3600;
const DAY = 24 * HOUR;
const TIME_LEFT_BUCKETS = [0, 60, 600, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY];

interface Shown {
  readonly labels: Labels;
  readonly isReady: boolean;
  readonly notAfter: string | undefined;
  readonly renewalTime: string | undefined;
}

interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly spec: { readonly authorityRef: AuthorityRef };
}

/**
 * What metrics show of the certificates: three series for each, or, above `most` of them, since a scrape would then cost
 * more than it tells, only how many there are and how long they still have.
 */
export class CertificateSeries {
  readonly #shown = new Map<string, Shown>();
  readonly #most: number;
  readonly #notAfter: Gauge<keyof Labels>;
  readonly #renewal: Gauge<keyof Labels>;
  readonly #ready: Gauge<keyof Labels>;

  constructor(registry: Registry, clock: Clock, most: number) {
    this.#most = most;
    const registers = [registry];
    const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: LABELS, registers });
    this.#notAfter = gauge(
      'certwheel_certificate_not_after_timestamp_seconds',
      'When the certificate in the Secret expires.',
    );
    this.#renewal = gauge(
      'certwheel_certificate_renewal_timestamp_seconds',
      'When the certificate is due to be renewed.',
    );
    this.#ready = gauge(
      'certwheel_certificate_ready',
      '1 where the Secret holds a valid certificate for the spec, else 0.',
    );
    const shown = this.#shown;
    new Gauge({
      name: 'certwheel_certificates',
      help: 'ClientCertificates, by whether they are ready.',
      labelNames: ['ready'],
      registers,
      collect() {
        const isReady = [...shown.values()].filter((each) => each.isReady).length;
        this.set({ ready: 'true' }, isReady);
        this.set({ ready: 'false' }, shown.size - isReady);
      },
    });
    new Histogram({
      name: 'certwheel_certificate_time_left_seconds',
      help: 'How long the certificates are still valid, at the moment of the scrape.',
      buckets: TIME_LEFT_BUCKETS,
      registers,
      collect() {
        this.reset();
        const now = clock.now().getTime();
        for (const { notAfter } of shown.values())
          if (notAfter !== undefined) this.observe((Date.parse(notAfter) - now) / 1000);
      },
    });
  }

  show({ namespace, name, spec }: Named, status: ClientCertificateStatus): void {
    const key = `${namespace}/${name}`;
    const labels = { namespace, name, authority: authorityKey({ ...spec.authorityRef, namespace }) };
    if (this.#shown.get(key)?.labels.authority !== labels.authority) this.hide(key);
    const isReady = conditionsOf(status).some(({ type, status: value }) => type === 'Ready' && value === 'True');
    const shown = { labels, isReady, notAfter: status.notAfter, renewalTime: status.renewalTime };
    this.#shown.set(key, shown);
    if (this.#shown.size <= this.#most) this.#writeOne(shown);
    else if (this.#shown.size === this.#most + 1) this.#removeAll();
  }

  hide(key: string): void {
    const shown = this.#shown.get(key);
    if (shown === undefined) return;
    this.#shown.delete(key);
    for (const gauge of [this.#notAfter, this.#renewal, this.#ready]) gauge.remove(shown.labels);
    if (this.#shown.size === this.#most) for (const each of this.#shown.values()) this.#writeOne(each);
  }

  #writeOne({ labels, isReady, notAfter, renewalTime }: Shown): void {
    this.#ready.set(labels, isReady ? 1 : 0);
    setMoment(this.#notAfter, labels, notAfter);
    setMoment(this.#renewal, labels, renewalTime);
  }

  #removeAll(): void {
    for (const gauge of [this.#notAfter, this.#renewal, this.#ready]) gauge.reset();
  }
}

function setMoment(gauge: Gauge<keyof Labels>, labels: Labels, moment: string | undefined): void {
  if (moment === undefined) gauge.remove(labels);
  else gauge.set(labels, Date.parse(moment) / 1000);
}
