import type { TrustSourceStatus } from '../api/generated/types.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { type SourceFinding, trustedBy } from './sources.ts';

/** What is known of the sources after a start, when nothing says what they said before. */
interface Before {
  /** The certificates (SHA-256) that the targets hold. */
  readonly held: ReadonlySet<string>;
  /** As the authority has reported the sources; undefined where it has not. */
  readonly reported: readonly Pick<TrustSourceStatus, 'name' | 'certificates' | 'reason'>[] | undefined;
}

/**
 * For the time until all targets have been read after a start: a source counts as not read where the targets held certificates of
 * it, and all that it has now is other ones that have expired, while the targets hold certificates that no party offers. Else a
 * mistake that was refused while the controller ran would cut off every client of a partner as soon as it starts anew. See
 * readTrustSource.
 */
export function withoutLoss(
  findings: readonly SourceFinding[],
  own: readonly CertificateView[],
  { held, reported }: Before,
  now: Date,
): readonly SourceFinding[] {
  const all = [...own, ...findings.flatMap(({ certificates = [] }) => certificates)];
  const offered = new Set(all.map(({ fingerprintSHA256 }) => fingerprintSHA256));
  if ([...held].every((each) => offered.has(each))) return findings;
  const wasTrusted = (name: string) => {
    const before = reported?.find((each) => each.name === name);
    return reported === undefined || (before !== undefined && (before.certificates > 0 || before.reason !== undefined));
  };
  return findings.map((each) => {
    const { name, certificates = [] } = each;
    const isOtherwise = certificates.length > 0 && !certificates.some((one) => held.has(one.fingerprintSHA256));
    if (!isOtherwise || !wasTrusted(name) || trustedBy([each], now).length > 0) return each;
    const message = `source ${name}: all of its CA certificates have expired, and those that the targets hold stay in force; put the present ones there, or remove the source`;
    return { ...each, certificates: undefined, trouble: { code: 'TrustBundleRefused', message } };
  });
}
