import { parseCertificate } from '../../../src/pki/certificate.ts';
import { type Difference, differences } from '../readers/compare.ts';
import type { Readers } from '../readers/readers.ts';
import { randomCertificate } from './certificates.ts';
import { EXCEPTIONS, type Exception } from './exceptions.ts';

export interface Found {
  readonly count: number;
  /** By kind: how often, and the first one. */
  readonly differences: ReadonlyMap<string, { count: number; seed: number; der: Buffer; difference: Difference }>;
  readonly exceptions: ReadonlyMap<Exception, number>;
}

/** Certificates that all readers read at the same time. */
const BATCH = 100;

/** Has every reader read `count` random certificates, of the seeds from `seed` on. */
export async function huntDifferences(readers: Readers, seed: number, count: number): Promise<Found> {
  const found = new Map<string, { count: number; seed: number; der: Buffer; difference: Difference }>();
  const exceptions = new Map<Exception, number>();
  for (let start = 0; start < count; start += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, count - start) }, (_, at) => seed + start + at);
    await Promise.all(
      seeds.map(async (each) => {
        const der = await randomCertificate(each);
        for (const difference of differences(der, await readers.read(der), parseCertificate)) {
          const exception = EXCEPTIONS.find(
            ({ kind, details }) => kind === difference.kind && details.test(difference.details),
          );
          if (exception !== undefined) {
            exceptions.set(exception, (exceptions.get(exception) ?? 0) + 1);
            continue;
          }
          const known = found.get(difference.kind) ?? { count: 0, seed: each, der, difference };
          known.count += 1;
          found.set(difference.kind, known);
        }
      }),
    );
  }
  return { count, differences: found, exceptions };
}
