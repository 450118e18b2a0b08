import type { TrustBundleSource } from '../api/generated/types.ts';
import { AuthorityError } from '../errors.ts';
import { type CertificateView, parseCertificates } from '../pki/certificate.ts';
import type { AuthorityDeps, SecretContent } from './authority.ts';

const STANDARD_KEY = 'ca.crt';

/** The CA certificates that the spec names, for authorities that don't publish theirs. */
export async function readTrustBundle(
  source: TrustBundleSource,
  deps: Pick<AuthorityDeps, 'secret' | 'configMap'>,
): Promise<readonly CertificateView[]> {
  const { configMap, secret, inline } = source;
  if (configMap !== undefined) return read('ConfigMap', configMap, await deps.configMap(configMap.name));
  if (secret !== undefined) return read('Secret', secret, await deps.secret(secret.name));
  return parse('trustBundle.inline', inline ?? '');
}

function read(
  kind: string,
  { name, key = STANDARD_KEY }: { readonly name: string; readonly key?: string },
  content: SecretContent | undefined,
): readonly CertificateView[] {
  const place = `${kind} ${name}`;
  if (content === undefined)
    throw new AuthorityError('TrustBundleNotFound', `there is no ${place}, which is to hold the CA under ${key}`);
  const pem = content[key];
  if (pem === undefined)
    throw new AuthorityError('TrustBundleNotFound', `${place} has no key ${key}, which is to hold the CA`);
  return parse(`${place}, key ${key}`, pem.toString('latin1'));
}

function parse(place: string, pem: string): readonly CertificateView[] {
  const certificates = parsed(place, pem);
  if (certificates.length === 0) throw new AuthorityError('TrustBundleRefused', `${place} holds no certificate`);
  const other = certificates.find(({ isCA }) => !isCA);
  if (other !== undefined)
    throw new AuthorityError(
      'TrustBundleRefused',
      `${place} holds ${JSON.stringify(other.subjectText)}, which is no CA`,
    );
  return certificates;
}

function parsed(place: string, pem: string): readonly CertificateView[] {
  try {
    return parseCertificates(pem);
  } catch (error) {
    throw new AuthorityError('TrustBundleRefused', `${place} can't be read: ${(error as Error).message}`);
  }
}
