import type { CertificateSpec } from '../../api/client-certificate.ts';

/** The type of a Secret can't be changed, and `kubernetes.io/tls` demands a `tls.key`. */
const [WITH_KEY, WITHOUT_KEY] = ['kubernetes.io/tls', 'Opaque'] as const;

export type SecretType = typeof WITH_KEY | typeof WITHOUT_KEY;

/** The type of the Secret that a spec asks for: without a key where the client keeps that itself. */
export function secretType({ csr }: Pick<CertificateSpec, 'csr'>): SecretType {
  return csr === undefined ? WITH_KEY : WITHOUT_KEY;
}

/** The type of a Secret with this data. */
export function typeOfData(data: object): SecretType {
  return Object.hasOwn(data, 'tls.key') ? WITH_KEY : WITHOUT_KEY;
}

/** Whether a certificate in a Secret of that type is of use only with its private key beside it. */
export function holdsKey(type: string | undefined): boolean {
  return type !== WITHOUT_KEY;
}
