import { allowsNamespace, authorityKey, type CertificateAuthority } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import { secretKeyOf } from '../certificate/observe.ts';
import type { Consumer } from '../rotation/deps.ts';

interface Certificates {
  /** The ClientCertificates that name the authority. */
  membersOf(authority: string): readonly ClientCertificate[];
  secretOnArrival(key: string): Consumer['secret'];
  readonly namespaces: { get(name: string): Parameters<typeof allowsNamespace>[2] };
}

/** The certificates that an authority serves; a certificate that merely names it asks nothing of it. */
export function consumersOf(resource: CertificateAuthority, certificates: Certificates): Consumer[] {
  return clientsOf(resource, certificates).map((each) => ({
    resource: each,
    secret: certificates.secretOnArrival(secretKeyOf(each)),
  }));
}

/** The same without their Secrets. */
export function clientsOf(
  resource: CertificateAuthority,
  certificates: Omit<Certificates, 'secretOnArrival'>,
): ClientCertificate[] {
  const serves = (namespace: string) =>
    allowsNamespace(resource.allowedNamespaces, namespace, certificates.namespaces.get(namespace)) === true;
  return certificates.membersOf(authorityKey(resource)).filter(({ namespace }) => serves(namespace));
}
