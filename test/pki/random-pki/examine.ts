import { allAccept, type Judges, type Verdicts } from '../verifiers/judges.ts';
import { EXCEPTIONS } from './exceptions.ts';
import type { Material } from './material.ts';
import { GENERATED_POLICIES, type Path, pathsOf } from './paths.ts';
import { type Published, verdictOf } from './verdict.ts';

/** A PKI about which Certwheel and the verifiers disagree. */
export interface Disagreement {
  readonly kind: 'ready, but refused by verifiers' | 'refused, but verifiers accept' | 'strict flaws differ';
  /** Why the side that refuses does so. */
  readonly reasons: readonly string[];
  /** What the verifiers were shown. */
  readonly shown: Published;
}

export interface Examined {
  /** Certwheel's word. */
  readonly ready: boolean;
  /** Whether there is a path that all verifiers accept. */
  readonly good: boolean;
  readonly disagreement?: Disagreement;
  /** The exception that made a disagreement pass. */
  readonly exception?: string;
}

/** Asks Certwheel and the verifiers about one PKI. `leafPublicKey` is a SubjectPublicKeyInfo (DER). */
export async function examine(judges: Judges, material: Material, leafPublicKey: Buffer): Promise<Examined> {
  const verdict = await verdictOf(material, leafPublicKey);
  if (!verdict.ready) return refused(judges, material, leafPublicKey, verdict.reason);
  const verdicts = await ask(judges, material, verdict.published);
  const disagreement = readyProblem(verdicts, verdict.published, verdict.strictFlaws);
  return { ready: true, good: allAccept(verdicts), ...(disagreement && { disagreement }) };
}

function readyProblem(
  verdicts: Verdicts,
  shown: Published,
  strictFlaws: readonly string[] | undefined,
): Disagreement | undefined {
  if (!allAccept(verdicts)) {
    const reasons = (['openssl', 'go', 'java'] as const).flatMap((name) =>
      verdicts[name] === null ? [] : [`${name}: ${verdicts[name]}`],
    );
    return { kind: 'ready, but refused by verifiers', reasons, shown };
  }
  const isStrict = verdicts.opensslStrict === null;
  if (strictFlaws === undefined || isStrict === (strictFlaws.length === 0)) return undefined;
  const reasons = [`openssl -x509_strict: ${verdicts.opensslStrict ?? 'accepts'}`, ...strictFlaws];
  return { kind: 'strict flaws differ', reasons, shown };
}

async function refused(judges: Judges, material: Material, leafPublicKey: Buffer, reason: string): Promise<Examined> {
  let exception: string | undefined;
  for (const path of pathsOf(material, leafPublicKey)) {
    const shown = await acceptedOf(judges, material, path);
    if (shown === undefined) continue;
    exception = EXCEPTIONS.find(({ fits }) => fits(path, material, reason))?.name;
    if (exception !== undefined) continue;
    return {
      ready: false,
      good: true,
      disagreement: { kind: 'refused, but verifiers accept', reasons: [reason], shown },
    };
  }
  return exception === undefined ? { ready: false, good: false } : { ready: false, good: true, exception };
}

/** What all verifiers accept of the path: with a plain leaf, or with one that carries policies where these are missed. */
async function acceptedOf(judges: Judges, material: Material, path: Path): Promise<Published | undefined> {
  const plain = shownOf(path, path.leaf([]));
  const verdicts = await ask(judges, material, plain);
  if (allAccept(verdicts)) return plain;
  if (![verdicts.go, verdicts.java].some((reason) => reason?.includes('polic'))) return undefined;
  const withPolicies = shownOf(path, path.leaf(GENERATED_POLICIES));
  return allAccept(await ask(judges, material, withPolicies)) ? withPolicies : undefined;
}

/** What a server with the path's root is shown by a client with that leaf (DER). */
export function shownOf({ issuers }: Path, leaf: Buffer): Published {
  const ders = issuers.map(({ der }) => der);
  return { tlsCrt: [leaf, ...ders.slice(0, -1)], caCrt: ders.slice(-1) };
}

function ask(judges: Judges, { at, identity }: Material, { tlsCrt, caCrt }: Published): Promise<Verdicts> {
  const [leaf = Buffer.alloc(0), ...intermediates] = tlsCrt;
  return judges.judge({ leaf, intermediates, anchors: caCrt, at, serverAuth: identity.usages.includes('server auth') });
}

/** The reasons without names, numbers and dates: the same for disagreements of one cause, as far as that can be told. */
export function causesOf({ reasons }: Disagreement): string[] {
  return reasons.map((reason) =>
    reason
      .replace(/"[^"]*"|'[^']*'/g, '"…"')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '…')
      .replace(/\b(O|CN|C)=[^,:)]*?(?=,|:|\)| (is|has|may|signs|allows|does|would|did|can)\b|$)/g, '$1=…')
      .replace(/\b\d+(\.\d+)*\b/g, '0'),
  );
}

/** Equal for disagreements of the same causes. */
export function groupOf(disagreement: Disagreement): string {
  return [disagreement.kind, ...causesOf(disagreement)].join('\n    ');
}
