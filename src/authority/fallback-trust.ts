import { type CertificateView, distinct } from '../pki/certificate.ts';
import type { FallbackTrust } from '../rotation/deps.ts';
import type { Member } from '../rotation/plan-types.ts';

/** What an authority keeps of its fallback, beyond restarts and the end of either. */
export interface KeptTrust extends FallbackTrust {
  /** The name of the fallback that stated `further` last; empty for none. */
  readonly name: string;
}

export interface FallbackScene {
  /** The fallback of the spec; undefined for none. */
  readonly name: string | undefined;
  /** The CA certificates of the authority itself; empty while they aren't known. */
  readonly own: readonly CertificateView[];
  /** Those of the fallback; undefined while they aren't known, such as of one that was deleted. */
  readonly stated: readonly CertificateView[] | undefined;
  readonly kept: KeptTrust | undefined;
  /** Asked for only where it counts. */
  members(): readonly Pick<Member, 'anchorFingerprints' | 'notAfter'>[];
}

/**
 * What is to be kept. A CA certificate of the fallback stays as long as a valid certificate needs it, whatever became of the
 * fallback: a Secret must not hold a certificate that its own ca.crt refuses. Undefined where there is nothing to keep.
 */
export function nextKept({ name, own, stated, kept, members }: FallbackScene, now: Date): KeptTrust | undefined {
  const mine = own.length > 0 ? own : (kept?.own ?? []);
  const known = stated ?? (name !== undefined && kept?.name === name ? kept.further : []);
  const remaining = new Set([...mine, ...known].map(({ fingerprintSHA256 }) => fingerprintSHA256));
  const left = (kept?.further ?? []).filter(({ fingerprintSHA256 }) => !remaining.has(fingerprintSHA256));
  const needed = left.length === 0 ? new Set<string>() : neededBeside(remaining, members(), now);
  const further = distinct([...known, ...left.filter(({ fingerprintSHA256 }) => needed.has(fingerprintSHA256))]);
  return name === undefined && further.length === 0 ? undefined : { name: name ?? '', own: mine, further };
}

/** The CA certificates of ca.crt to which valid certificates lead that lead to none of `remaining`. */
function neededBeside(
  remaining: ReadonlySet<string>,
  members: ReturnType<FallbackScene['members']>,
  now: Date,
): ReadonlySet<string> {
  const valid = members.filter(({ notAfter }) => notAfter !== undefined && notAfter > now);
  const lost = valid.filter(({ anchorFingerprints }) => !anchorFingerprints.some((each) => remaining.has(each)));
  return new Set(lost.flatMap(({ anchorFingerprints }) => anchorFingerprints));
}
