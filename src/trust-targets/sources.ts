import { toRfc3339 } from '../api/conditions.ts';
import type { TrustSource, TrustSourceStatus } from '../api/generated/types.ts';
import { earliest } from '../api/moments.ts';
import type { ReferencedData } from '../backends/backend-deps.ts';
import { anchorProblem } from '../backends/shared/readable-trust.ts';
import { bundleRemedy, parseBundle } from '../backends/shared/trust-bundle.ts';
import { AuthorityError, classify } from '../errors.ts';
import { readable } from '../foreign-text.ts';
import { type CertificateView, distinct } from '../pki/certificate.ts';
import { nameOf } from '../pki/path.ts';
import type { Trouble } from '../trouble.ts';

/** What a source says now. */
export interface SourceFinding {
  readonly name: string;
  /** All that can be trusted, those that have expired too; undefined where it can't be read, and was never read. */
  readonly certificates: readonly CertificateView[] | undefined;
  /** Certificates that can't be trusted, as sentences. */
  readonly refused: readonly string[];
  /** Why it can't be read now. */
  readonly trouble: Trouble | undefined;
  /** When it is to be read again; undefined for one that is watched, and while it is read. */
  readonly nextAt?: Date;
  /** See nameProblems. */
  readonly nameProblems?: readonly string[];
}

/** The bounds of the schema. */
const MOST_SHOWN = 5;
const LONGEST = 1_024;

/** What is read of sources: the content of a ConfigMap in the authority's namespace, undefined where there is none. */
type ReadConfigMap = (name: string) => Promise<ReferencedData | undefined>;

/** What a PEM text says, whatever the time is. */
export interface JudgedText {
  readonly certificates: readonly CertificateView[];
  readonly refused: readonly string[];
}

/** Says what a PEM text holds, as judgeText; throws what that throws. */
type Judge = (place: string, pem: Buffer, remedy: string | undefined) => Promise<JudgedText>;

/**
 * Reads one source. `lastGood` is what it said before, which counts on while it can't be read, and where all that is there
 * now has expired. Never throws.
 */
export async function readTrustSource(
  source: TrustSource,
  namespace: string,
  configMap: ReadConfigMap,
  lastGood: SourceFinding | undefined,
  now: Date,
  judge: Judge = async (...text) => judgeText(...text),
): Promise<SourceFinding> {
  const { name } = source;
  try {
    const { place, pem, remedy } = await contentOf(source, namespace, configMap);
    const { certificates, refused } = await judge(place, pem, remedy);
    const found = { name, certificates, refused, trouble: undefined };
    // As with an endpoint: more likely a mistake than the wish to cut off every client of the partner.
    if (lastGood !== undefined && trustedBy([found], now).length === 0 && trustedBy([lastGood], now).length > 0)
      throw new AuthorityError(
        'TrustBundleRefused',
        `${place}: all of its CA certificates have expired, and the former ones stay in force; put the present ones there`,
      );
    return found;
  } catch (thrown) {
    const { code, message } = classify(thrown);
    const advice = code === 'BackendForbidden' ? '; set trustTargets.configMaps: true in the values of the chart' : '';
    const trouble = { code, message: readable(`source ${name}: ${message}${advice}`, LONGEST) };
    return { name, certificates: lastGood?.certificates, refused: lastGood?.refused ?? [], trouble };
  }
}

/** The CA certificates of a PEM text. Throws an AuthorityError TrustBundleRefused where none of them can be trusted. */
export function judgeText(place: string, pem: Buffer, remedy: string | undefined): JudgedText {
  const all = parseBundle(place, pem, remedy);
  const problems = new Map(all.map((each) => [each, problemOf(each)]));
  const certificates = distinct(all.filter((each) => problems.get(each) === undefined));
  const refused = refusedSentences(problems);
  if (certificates.length === 0)
    throw new AuthorityError('TrustBundleRefused', `${place} has no CA certificate that can be trusted: ${refused[0]}`);
  return { certificates, refused };
}

/** Certificates that can't be trusted: as many, and in as many words, as status shows, since their names are a partner's. */
export function refusedSentences(problems: ReadonlyMap<CertificateView, string | undefined>): readonly string[] {
  const refused = [...problems].filter(([, problem]) => problem !== undefined).slice(0, MOST_SHOWN);
  return refused.map(([each, problem]) => readable(`${nameOf(each)} ${problem}`, LONGEST));
}

async function contentOf({ configMap, inline = '' }: TrustSource, namespace: string, read: ReadConfigMap) {
  if (configMap === undefined) return { place: 'inline', pem: Buffer.from(inline), remedy: undefined };
  const { name, key } = configMap;
  const object = `ConfigMap ${namespace}/${name}`;
  const remedy = bundleRemedy('ConfigMap', namespace, name, key);
  const content = await read(name);
  if (content === undefined) throw new AuthorityError('TrustBundleNotFound', `there is no ${object}; ${remedy}`);
  const pem = Object.hasOwn(content, key) ? content[key] : undefined;
  if (pem === undefined) throw new AuthorityError('TrustBundleNotFound', `${object} has no key ${key}; ${remedy}`);
  return { place: `${object}, key ${key}`, pem: Buffer.from(pem), remedy };
}

function problemOf(certificate: CertificateView): string | undefined {
  return certificate.isCA ? anchorProblem(certificate) : 'is not a CA';
}

/** The certificates that are good at that moment. A notBefore to come is no reason: verifiers wait for it too. */
export function trustedBy(findings: readonly SourceFinding[], now: Date): readonly CertificateView[] {
  return findings.flatMap(({ certificates = [] }) => certificates.filter(({ notAfter }) => notAfter > now));
}

/** Why the bundle isn't complete: a source that has not been read since the controller started. */
export function incomplete(findings: readonly SourceFinding[]): Trouble | undefined {
  return findings.find(({ certificates }) => certificates === undefined)?.trouble;
}

/** When the next certificate of a source ends. */
export function nextEnd(findings: readonly SourceFinding[], now: Date): Date | undefined {
  return earliest(trustedBy(findings, now).map(({ notAfter }) => notAfter));
}

/** When the next source is to be read. */
export function nextRead(findings: readonly SourceFinding[]): Date | undefined {
  return earliest(findings.flatMap(({ nextAt }) => nextAt ?? []));
}

export function sourceStatus(finding: SourceFinding, now: Date): TrustSourceStatus {
  const { name, certificates = [], refused, trouble, nameProblems = [] } = finding;
  const expired = certificates
    .filter(({ notAfter }) => notAfter <= now)
    .map((each) => `${nameOf(each)} expired at ${toRfc3339(each.notAfter)}`);
  const shown = (sentences: readonly string[]) => sentences.slice(0, MOST_SHOWN).map((each) => readable(each, LONGEST));
  const leftOut = shown([...refused, ...expired]);
  const notAfter = nextEnd([finding], now);
  return {
    name,
    certificates: trustedBy([finding], now).length,
    ...(notAfter === undefined ? {} : { notAfter: toRfc3339(notAfter) }),
    ...(leftOut.length === 0 ? {} : { leftOut }),
    ...(nameProblems.length === 0 ? {} : { nameProblems: shown(nameProblems) }),
    ...(trouble === undefined ? {} : { reason: trouble.code, message: readable(trouble.message, LONGEST) }),
  };
}
