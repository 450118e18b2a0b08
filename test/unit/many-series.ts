import type { Metrics } from '../../src/metrics/metrics.ts';

/** Adds the series of so many certificates to the metrics, with names of usual length. */
export function showMany({ certificates }: Metrics, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const spec = { authorityRef: { kind: 'CertificateAuthority', name: 'internal-ca' } } as const;
    const dates = { notAfter: '2100-01-02T00:00:00Z', renewalTime: '2100-01-01T00:00:00Z' };
    certificates.show({ namespace: `team-${index % 100}`, name: `service-${index}-client`, spec }, dates);
  }
}
