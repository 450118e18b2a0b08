import type { CertificateView } from '../pki/certificate.ts';
import { type SourceFinding, trustedBy } from './sources.ts';

/**
 * For the first look after a start, when nothing says what the sources said before: where all that one of them has now has expired,
 * and the targets hold certificates (`held`, SHA-256) that no party offers, it counts as not read. Else a mistake that was refused
 * while the controller ran would cut off every client of a partner as soon as it starts anew. See readTrustSource.
 */
export function withoutLoss(
  findings: readonly SourceFinding[],
  own: readonly CertificateView[],
  held: ReadonlySet<string>,
  now: Date,
): readonly SourceFinding[] {
  const all = [...own, ...findings.flatMap(({ certificates = [] }) => certificates)];
  const offered = new Set(all.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  if ([...held].every((each) => offered.has(each))) return findings;
  return findings.map((each) => {
    const { name, certificates = [] } = each;
    if (certificates.length === 0 || trustedBy([each], now).length > 0) return each;
    const message = `source ${name}: all of its CA certificates have expired, and those that the targets hold stay in force; put the present ones there, or remove the source`;
    return { ...each, certificates: undefined, trouble: { code: 'TrustBundleRefused', message } };
  });
}
