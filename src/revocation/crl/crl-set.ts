import { earliest } from '../../api/moments.ts';
import { caKeyId } from '../../pki/ca.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { CRL_LABEL } from '../../pki/crl.ts';
import { toPem } from '../../pki/pem.ts';
import { type CrlView, isCrlOf } from '../../pki/read-crl.ts';

/** A CA generation that verifiers trust. */
export interface GenerationChain {
  readonly version: number;
  /** From the CA that signs up to the root. */
  readonly chain: readonly CertificateView[];
}

/** A CA of the chain of a generation that has no CRL which can be used. */
export interface CaWithoutCrl {
  readonly version: number;
  readonly ca: CertificateView;
  /** Whether it is above the CA that signs, so that another party publishes its CRL. */
  readonly isUpper: boolean;
}

/** The CRLs that verifiers need who check every CA of a chain. */
export interface CrlSet {
  /** One block for each CA; empty where there is none. */
  readonly pem: string;
  /** The CAs that have a CRL in it, as caKeyId. */
  readonly covers: ReadonlySet<string>;
  readonly missing: readonly CaWithoutCrl[];
  /** When the first of the CRLs expires. */
  readonly nextUpdate: Date | undefined;
}

/** The newest CRL of each CA of the chains, without those that have expired. */
export function crlSetOf(generations: readonly GenerationChain[], crls: readonly CrlView[], now: Date): CrlSet {
  const valid = crls.filter(({ nextUpdate }) => nextUpdate > now);
  const found = new Map<string, CrlView>();
  const missing = new Map<string, CaWithoutCrl>();
  for (const { version, chain } of generations)
    for (const [at, ca] of chain.entries()) {
      const id = caKeyId(ca);
      if (found.has(id) || missing.has(id)) continue;
      const [newest] = valid.filter((each) => isSignedBy(each, ca)).sort(byAge);
      if (newest === undefined) missing.set(id, { version, ca, isUpper: at > 0 });
      else found.set(id, newest);
    }
  const used = [...found.values()];
  return {
    pem: used.map(pemOf).join(''),
    covers: new Set(found.keys()),
    missing: [...missing.values()],
    nextUpdate: earliest(used.map(({ nextUpdate }) => nextUpdate)),
  };
}

/** The newest first. */
function byAge(one: CrlView, other: CrlView): number {
  const [ours, theirs] = [one.number ?? 0n, other.number ?? 0n];
  if (ours !== theirs) return ours > theirs ? -1 : 1;
  return other.thisUpdate.getTime() - one.thisUpdate.getTime();
}

const verified = new WeakMap<CrlView, Map<string, boolean>>();

/** As isCrlOf, whose hash over a megabyte is made once. */
export function isSignedBy(crl: CrlView, ca: CertificateView): boolean {
  const known = verified.get(crl) ?? new Map<string, boolean>();
  verified.set(crl, known);
  const id = caKeyId(ca);
  const before = known.get(id);
  if (before !== undefined) return before;
  const answer = isCrlOf(crl, ca);
  known.set(id, answer);
  return answer;
}

const texts = new WeakMap<CrlView, string>();

function pemOf(crl: CrlView): string {
  const text = texts.get(crl) ?? toPem(CRL_LABEL, crl.der);
  texts.set(crl, text);
  return text;
}
