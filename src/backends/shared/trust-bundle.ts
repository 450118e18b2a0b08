import type { TrustBundleSource } from '../../api/generated/types.ts';
import type { PolicyRule } from '../../api/permissions.ts';
import { AuthorityError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { MaterialError, readCertificateBlocks } from '../../pki/material.ts';
import { parseBlock } from '../../pki/parse-block.ts';
import { isSelfSigned, newEffort } from '../../pki/signed-by.ts';
import type { Trust } from '../backend.ts';
import { type BackendDeps, dataAt, type ReferencedData } from '../backend-deps.ts';

const STANDARD_KEY = 'ca.crt';
/** Every Secret that Certwheel writes gets them all. */
const MOST_CERTIFICATES = 100;
const INLINE_REMEDY = 'write the CA certificates in PEM there, as cat ca.crt shows them';

/** What every kind of authority needs that calls readTrustBundle. */
export const TRUST_BUNDLE_PERMISSION: PolicyRule = {
  apiGroups: [''],
  resources: ['configmaps'],
  verbs: ['list', 'watch'],
  why: 'to follow the trust bundles that authorities name',
};

/** The CA certificates that the spec names, for authorities that don't publish theirs. Throws an AuthorityError. */
export async function readTrustBundle(
  source: TrustBundleSource,
  deps: Pick<BackendDeps, 'secret' | 'configMap' | 'objects'>,
): Promise<Trust> {
  const { configMap, secret, inline } = source;
  const partialChain = source.partialChain ?? false;
  if (configMap !== undefined)
    return read('ConfigMap', configMap, await deps.configMap(configMap.name), deps, partialChain);
  if (secret !== undefined) return read('Secret', secret, await deps.secret(secret.name), deps, partialChain);
  return parse('trustBundle.inline', Buffer.from(inline ?? ''), partialChain, INLINE_REMEDY);
}

function read(
  kind: 'ConfigMap' | 'Secret',
  { name, key = STANDARD_KEY }: { readonly name: string; readonly key?: string },
  content: ReferencedData | undefined,
  { objects: { namespace } }: Pick<BackendDeps, 'objects'>,
  partialChain: boolean,
): Trust {
  const place = `${kind} ${namespace}/${name}`;
  const remedy = bundleRemedy(kind, namespace, name, key);
  if (content === undefined)
    throw new AuthorityError(
      'TrustBundleNotFound',
      `there is no ${place}, which is to hold the CA under ${key}; ${remedy}`,
    );
  const pem = dataAt(content, key);
  if (pem === undefined)
    throw new AuthorityError('TrustBundleNotFound', `${place} has no key ${key}, which is to hold the CA; ${remedy}`);
  return parse(`${place}, key ${key}`, pem, partialChain, remedy);
}

/** How the object of a trust bundle is written, as the end of a sentence. */
export function bundleRemedy(kind: 'ConfigMap' | 'Secret', namespace: string, name: string, key: string): string {
  const type = kind === 'ConfigMap' ? 'configmap' : 'secret generic';
  return `write the CA certificates in PEM there with: kubectl create ${type} -n ${namespace} ${name} --from-file=${key}=ca.crt --dry-run=client -o yaml | kubectl apply -f -`;
}

function parse(place: string, pem: Buffer, partialChain: boolean, remedy: string): Trust {
  const certificates = parseBundle(place, pem, remedy);
  const other = certificates.find(({ isCA }) => !isCA);
  if (other !== undefined)
    throw new AuthorityError('TrustBundleRefused', `${place}: ${JSON.stringify(other.subjectText)} is not a CA`);
  if (partialChain) return { anchors: certificates, intermediates: [] };
  const effort = newEffort();
  const anchors = certificates.filter((each) => isSelfSigned(each, effort));
  if (effort.costLeft < 0)
    throw new AuthorityError(
      'TrustBundleRefused',
      `${place}: the signatures of its ${certificates.length} certificates take too long to verify; leave only the CAs that clients need`,
    );
  const intermediates = certificates.filter((each) => !anchors.includes(each));
  const [below] = intermediates;
  if (anchors.length === 0 && below !== undefined)
    throw new AuthorityError(
      'TrustBundleRefused',
      `${place}: no certificate is self-signed; put the root ${below.issuerText} there, or set trustBundle.partialChain: true where no verifier has the root`,
    );
  return { anchors, intermediates };
}

/** The certificates of a PEM text, whatever they are. `remedy` says how the text is written. Throws an AuthorityError TrustBundleRefused. */
export function parseBundle(place: string, pem: Buffer, remedy = INLINE_REMEDY): readonly CertificateView[] {
  const refusal = (message: string, cause?: unknown) => new AuthorityError('TrustBundleRefused', message, { cause });
  try {
    const blocks = readCertificateBlocks(pem, place, { most: MOST_CERTIFICATES, remedy });
    return blocks.map((block) => parseBlock(block, place, refusal));
  } catch (error) {
    throw error instanceof MaterialError ? refusal(error.message, error) : error;
  }
}
