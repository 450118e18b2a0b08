import { toRfc3339 } from '../../api/conditions.ts';
import type { UpperCRL } from '../../api/generated/types.ts';
import type { ReferencedData } from '../../backends/backend-deps.ts';
import { classify } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { CRL_LABEL } from '../../pki/crl.ts';
import { decodeName } from '../../pki/name.ts';
import { parsePem } from '../../pki/pem.ts';
import { type CrlView, readCrl } from '../../pki/read-crl.ts';
import { messageOf } from '../../thrown.ts';
import { isSignedBy } from './crl-set.ts';

/** What one entry of spec.revocation.crl.upper holds. */
export interface UpperFinding {
  /** The object and its key, for people. */
  readonly place: string;
  readonly crls: readonly CrlView[];
  /** Why it can't be read now, as a sentence; `crls` are then those that it held before. */
  readonly problem: string | undefined;
}

/** No ConfigMap has more. */
const MOST_BYTES = 1_048_576;
const MOST_CRLS = 16;
/** The tag of SEQUENCE, with which DER begins. */
const SEQUENCE = 0x30;

/** Reads one entry: PEM, or one CRL in DER. `read` answers the content of a ConfigMap, undefined where there is none. Never throws. */
export async function readUpperCrl(
  { configMap: { name, key } }: UpperCRL,
  namespace: string,
  read: (name: string) => Promise<ReferencedData | undefined>,
  before: UpperFinding | undefined,
): Promise<UpperFinding> {
  const place = `ConfigMap ${namespace}/${name}, key ${key}`;
  const refused = (problem: string) => ({ place, crls: before?.crls ?? [], problem: `${place}: ${problem}` });
  const remedy = `write it with: kubectl create configmap -n ${namespace} ${name} --from-file=${key}=ca.crl --dry-run=client -o yaml | kubectl apply -f -`;
  try {
    const data = await read(name);
    if (data === undefined) return refused(`there is no such ConfigMap; ${remedy}`);
    const content = Object.hasOwn(data, key) ? data[key] : undefined;
    if (content === undefined) return refused(`there is no such key; ${remedy}`);
    const crls = parseCrls(Buffer.from(content));
    return crls.length === 0
      ? refused(`it holds no PEM block ${CRL_LABEL}; ${remedy}`)
      : { place, crls, problem: undefined };
  } catch (thrown) {
    const { code, message } = classify(thrown);
    if (code === 'BackendForbidden')
      return refused(`${message}; set trustTargets.configMaps: true in the values of the chart`);
    return refused(code === 'Unexpected' ? `it can't be read as CRLs: ${messageOf(thrown)}` : message);
  }
}

function parseCrls(content: Buffer): readonly CrlView[] {
  if (content[0] === SEQUENCE) return [readCrl(content)];
  const blocks = parsePem(content.toString('utf8'), { strict: false, maxBytes: MOST_BYTES });
  const found = blocks.filter(({ label }) => label === CRL_LABEL);
  if (found.length > MOST_CRLS) throw new Error(`it holds ${found.length} CRLs, and at most ${MOST_CRLS} are read`);
  return found.map(({ der }) => readCrl(der));
}

/** Why CRLs of the entries aren't used, as sentences. `chains` are the CA certificates of all generations. */
export function upperProblems(
  findings: readonly UpperFinding[],
  chains: readonly CertificateView[],
  now: Date,
): readonly string[] {
  return findings.flatMap(({ place, crls, problem }) => [
    ...(problem === undefined ? [] : [problem]),
    ...crls.flatMap((crl) => {
      const issuer = issuerOf(crl);
      if (!chains.some((ca) => isSignedBy(crl, ca)))
        return [`${place}: the CRL of ${issuer} is not signed by a CA in the chain of a CA generation; remove it`];
      return crl.nextUpdate > now
        ? []
        : [`${place}: the CRL of ${issuer} expired at ${toRfc3339(crl.nextUpdate)}; replace it with the one in force`];
    }),
  ]);
}

function issuerOf({ issuerDer }: CrlView): string {
  try {
    return decodeName(issuerDer).text;
  } catch {
    return 'an issuer whose name is malformed';
  }
}
