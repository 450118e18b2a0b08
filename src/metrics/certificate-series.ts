import { Gauge, Histogram, type Registry } from 'prom-client';
import { authorityKey } from '../api/certificate-authority.ts';
import { type AuthorityRef, conditionsOf } from '../api/client-certificate.ts';
import type { ClientCertificateStatus } from '../api/generated/types.ts';
import { secondsOf } from '../api/moments.ts';
import { keyOf } from '../api/parse.ts';
import { shared } from '../api/shared.ts';
import { SLOWED } from '../certificate/status/status.ts';
import type { Clock } from '../clock.ts';
import { LABELS, labelsOf } from './certificate-labels.ts';
import { type NotPermitted, notPermittedBy, showNotPermitted } from './permission-series.ts';
import { SeriesGauge } from './series-gauge.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
const TIME_LEFT_BUCKETS = [0, 60, 600, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY];
const OVERDUE_BUCKETS = [0, 0.1, 0.25, 0.5, 0.75, 1];
/** Maximum number of series, however many certificates there are. */
const MOST_SLOWED = 100;
const SLOWED_HELP =
  '1 while issuance for the ClientCertificate is delayed: another writer changes its Secret, or its spec changes all the time.';
/** If no renewal is planned (suspended, no authority), an operator has to act by then. */
const UNPLANNED_NOTICE = DAY;

/** The values of one certificate; its namespace and name are in its key. Times are in seconds since the epoch. */
interface Shown {
  readonly authority: string;
  readonly isReady: boolean;
  readonly notAfter: number | undefined;
  readonly renewal: number | undefined;
  /** Why its issuance is delayed. */
  readonly slowed: string | undefined;
  readonly notPermitted: NotPermitted | undefined;
}

interface Named {
  readonly namespace: string;
  readonly name: string;
  /** Absent if it can't be read. */
  readonly spec?: { readonly authorityRef: AuthorityRef };
}

/**
 * Metrics of the certificates: three series for each. Above `most` certificates only their number and remaining validity,
 * because a scrape would be too expensive.
 */
export class CertificateSeries {
  readonly #shown = new Map<string, Shown>();

  constructor(registry: Registry, clock: Clock, most: number) {
    const shown = this.#shown;
    const series = (name: string, help: string, toValue: (each: Shown) => number | undefined) =>
      new SeriesGauge({ name, help, labelNames: LABELS, registers: [registry] }, function* () {
        if (shown.size > most) return;
        for (const [key, each] of [...shown]) {
          const value = toValue(each);
          if (value !== undefined) yield { labels: labelsOf(key, each), value };
        }
      });
    series(
      'certwheel_certificate_not_after_timestamp_seconds',
      'Expiry of the certificate in the Secret.',
      ({ notAfter }) => notAfter,
    );
    series(
      'certwheel_certificate_renewal_timestamp_seconds',
      'Time at which the certificate is due for renewal.',
      ({ renewal }) => renewal,
    );
    series(
      'certwheel_certificate_ready',
      '1 if the Secret holds a valid certificate for the spec, otherwise 0.',
      ({ isReady }) => (isReady ? 1 : 0),
    );
    const slowed = {
      name: 'certwheel_certificate_slowed',
      help: SLOWED_HELP,
      labelNames: [...LABELS, 'reason'] as const,
    };
    new SeriesGauge({ ...slowed, registers: [registry] }, function* () {
      let left = MOST_SLOWED;
      for (const [key, each] of [...shown])
        if (each.slowed !== undefined && left-- > 0)
          yield { labels: { ...labelsOf(key, each), reason: each.slowed }, value: 1 };
    });
    showNotPermitted(registry, shown);
    new Gauge({
      name: 'certwheel_certificates',
      help: 'Number of ClientCertificates, by readiness.',
      labelNames: ['ready'],
      registers: [registry],
      collect() {
        const isReady = [...shown.values()].filter((each) => each.isReady).length;
        this.set({ ready: 'true' }, isReady);
        this.set({ ready: 'false' }, shown.size - isReady);
      },
    });
    new Histogram({
      name: 'certwheel_certificate_time_left_seconds',
      help: 'Remaining validity of the certificates at the scrape.',
      buckets: TIME_LEFT_BUCKETS,
      registers: [registry],
      collect() {
        this.reset();
        const now = clock.now().getTime() / 1000;
        for (const { notAfter } of shown.values()) if (notAfter !== undefined) this.observe(notAfter - now);
      },
    });
    new Histogram({
      name: 'certwheel_certificate_overdue_ratio',
      help: 'Elapsed part of the time from due to expiry at the scrape: 0 before due, 1 at expiry. A certificate without a planned renewal counts as due a day before expiry.',
      buckets: OVERDUE_BUCKETS,
      registers: [registry],
      collect() {
        this.reset();
        const now = clock.now().getTime() / 1000;
        for (const each of shown.values())
          if (each.notAfter !== undefined) this.observe(overdueRatio(each.notAfter, each.renewal, now));
      },
    });
  }

  show({ namespace, name, spec }: Named, status: ClientCertificateStatus): void {
    this.#shown.set(keyOf({ namespace, name }), {
      authority: spec === undefined ? '' : shared(authorityKey({ ...spec.authorityRef, namespace })),
      isReady: conditionsOf(status).some(({ type, status: value }) => type === 'Ready' && value === 'True'),
      notAfter: secondsOf(status.notAfter),
      renewal: secondsOf(status.renewalTime),
      slowed: conditionsOf(status).find(({ reason }) => SLOWED.includes(reason))?.reason,
      notPermitted: notPermittedBy(status),
    });
  }

  hide(key: string): void {
    this.#shown.delete(key);
  }
}

function overdueRatio(notAfter: number, renewal: number | undefined, now: number): number {
  const window = renewal === undefined ? UNPLANNED_NOTICE : Math.max(1, notAfter - renewal);
  return Math.max(0, 1 - (notAfter - now) / window);
}
