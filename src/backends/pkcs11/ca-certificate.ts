import { createPublicKey, hash, verify } from 'node:crypto';
import type { Pkcs11Certificate } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { MAX_READ_RSA_BITS } from '../../pki/keys.ts';
import { nameOf } from '../../pki/path.ts';
import type { CaCertificates } from '../../pki/read-ca.ts';
import type { BackendDeps } from '../backend-deps.ts';

/** The certificates of the CA, from the ConfigMap or Secret that the spec names. Throws an AuthorityError. */
export async function certificatesOf(
  { configMap, secret, partialChain }: Pkcs11Certificate,
  deps: Pick<BackendDeps, 'secret' | 'configMap' | 'objects'>,
): Promise<CaCertificates> {
  const { namespace } = deps.objects;
  const [kind, name] = configMap === undefined ? ['Secret', secret?.name ?? ''] : ['ConfigMap', configMap.name];
  const content = configMap === undefined ? await deps.secret(name) : await deps.configMap(name);
  const place = `${kind} ${namespace}/${name}`;
  const create = `kubectl create ${kind === 'Secret' ? 'secret generic' : 'configmap'} ${name} -n ${namespace} --from-file=tls.crt=ca.crt`;
  if (content === undefined)
    throw new AuthorityError(
      'TrustBundleNotFound',
      `there is no ${place}, which is to hold the certificate of the CA; create it with: ${create}`,
    );
  const { 'tls.crt': certificates, 'ca.crt': roots } = content;
  if (certificates === undefined)
    throw new AuthorityError(
      'TrustBundleNotFound',
      `${place} has no key tls.crt, which is to hold the certificate of the CA; write it with: ${create} --dry-run=client -o yaml | kubectl apply -f -`,
    );
  return { place, certificates, roots, partialChain };
}

/** So many keys are compared: a file of certificates holds one CA and those above it. */
const MOST_COMPARED = 50;

/**
 * Those certificates whose key made the signature over the SHA-256 of `probe`: what the token states of its key can be
 * wrong, or missing. `toX509` brings the signature of an ECDSA key into the form of X.509.
 */
export function certificatesOfKey(
  given: readonly CertificateView[],
  kind: 'ec' | 'rsa',
  probe: Buffer,
  signature: Buffer,
): readonly CertificateView[] {
  return given.slice(0, MOST_COMPARED).filter(({ publicKeyDer, keySpec }) => {
    // A key that was chosen to be slow to verify with.
    if (keySpec === undefined || (keySpec.algorithm === 'RSA' && keySpec.size > MAX_READ_RSA_BITS)) return false;
    try {
      const key = createPublicKey({ key: publicKeyDer, format: 'der', type: 'spki' });
      return key.asymmetricKeyType === kind && verify('sha256', probe, key, signature);
    } catch {
      return false;
    }
  });
}

/** Of the bytes that decide what is read. */
export function idOf({ place, certificates, roots, partialChain }: CaCertificates): string {
  const digests = [certificates, roots ?? Buffer.alloc(0)].map((each) => hash('sha256', each, 'base64'));
  return JSON.stringify([place, partialChain, roots === undefined, ...digests]);
}

export function mismatch(place: string, given: readonly CertificateView[], keyName: string): AuthorityError {
  return new AuthorityError(
    'CAPairRefused',
    `${place}, key tls.crt: the token's key (${keyName}) is not the key of ${given.map(nameOf).join(' or ')}; correct spec.pkcs11.uri or the certificate`,
  );
}
