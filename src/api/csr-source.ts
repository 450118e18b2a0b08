import type { ClientCertificateSpec, RequestKeyReference } from './generated/types.ts';

/** Where the certificate request of a client is: in the spec itself, or in an object of the same namespace. */
export type CsrSource =
  | { readonly kind: 'inline'; readonly pem: string }
  | ({ readonly kind: 'ConfigMap' | 'Secret' } & Readonly<RequestKeyReference>);

/** Of `spec.csr`; undefined where Certwheel makes the key. */
export function parseCsrSource({ csr }: Pick<ClientCertificateSpec, 'csr'>): CsrSource | undefined {
  if (csr === undefined) return undefined;
  const { inline, configMapKeyRef, secretKeyRef } = csr;
  if (configMapKeyRef !== undefined) return { kind: 'ConfigMap', ...configMapKeyRef };
  if (secretKeyRef !== undefined) return { kind: 'Secret', ...secretKeyRef };
  return { kind: 'inline', pem: inline ?? '' };
}
