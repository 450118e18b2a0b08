import { Gauge, type Registry } from 'prom-client';
import { conditionsOf } from '../api/client-certificate.ts';
import type { ClientCertificateStatus } from '../api/generated/types.ts';
import { secondsOf } from '../api/moments.ts';
import { DENIED, NOT_PERMITTED } from '../certificate/status/status.ts';
import { LABELS, labelsOf } from './certificate-labels.ts';
import { type Series, SeriesGauge } from './series-gauge.ts';

/** Maximum number of denied certificates with series of their own: those that expire first. */
const MOST_DENIED = 100;

/** Why the issuance policy does not permit a certificate, and when the one in its Secret began, in seconds since the epoch. */
export interface NotPermitted {
  readonly reason: string;
  readonly notBefore: number | undefined;
}

interface Shown {
  readonly authority: string;
  readonly notAfter: number | undefined;
  readonly notPermitted: NotPermitted | undefined;
}

export function notPermittedBy(status: ClientCertificateStatus): NotPermitted | undefined {
  const found = conditionsOf(status).find(({ type, reason }) => type !== 'Ready' && NOT_PERMITTED.includes(reason));
  return found && { reason: found.reason, notBefore: secondsOf(status.notBefore) };
}

/** Metrics of the certificates that an issuance policy does not permit; no series while all are permitted. */
export function showNotPermitted(registry: Registry, shown: ReadonlyMap<string, Shown>): void {
  new Gauge({
    name: 'certwheel_certificates_not_permitted',
    help: 'Number of ClientCertificates that the issuance policy or an approver denies, or that wait for an approval or a place.',
    labelNames: ['authority', 'reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { authority, notPermitted } of shown.values())
        if (notPermitted !== undefined) this.inc({ authority, reason: notPermitted.reason });
    },
  });
  const denied = (name: string, help: string, toValue: (each: Shown) => number | undefined) =>
    new SeriesGauge({ name, help, labelNames: LABELS, registers: [registry] }, function* (): Generator<
      Series<(typeof LABELS)[number]>
    > {
      for (const [key, each] of firstToExpire(shown)) {
        const value = toValue(each);
        if (value !== undefined) yield { labels: labelsOf(key, each), value };
      }
    });
  denied(
    'certwheel_denied_certificate_not_after_timestamp_seconds',
    'Expiry of a certificate whose renewal is denied by the issuance policy or an approver, of the 100 that expire first.',
    ({ notAfter }) => notAfter,
  );
  denied(
    'certwheel_denied_certificate_not_before_timestamp_seconds',
    'Start of validity of a certificate whose renewal is denied by the issuance policy or an approver, of the 100 that expire first.',
    ({ notPermitted }) => notPermitted?.notBefore,
  );
}

function firstToExpire(shown: ReadonlyMap<string, Shown>): (readonly [string, Shown])[] {
  const denied: (readonly [string, Shown])[] = [];
  for (const [key, each] of shown)
    if (each.notAfter !== undefined && DENIED.includes(each.notPermitted?.reason ?? '')) denied.push([key, each]);
  if (denied.length <= MOST_DENIED) return denied;
  return denied.sort(([, one], [, other]) => (one.notAfter ?? 0) - (other.notAfter ?? 0)).slice(0, MOST_DENIED);
}
