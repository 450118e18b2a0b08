import type { CertificateSpec } from '../../src/api/client-certificate.ts';
import { outputsDigest } from '../../src/certificate/secret/outputs.ts';
import { type Rendered, renderPem, type SecretData } from '../../src/certificate/secret/render.ts';

/** What a Secret of a ClientCertificate without further files holds. */
export function plainly(data: SecretData, { spec }: { readonly spec: CertificateSpec }): Rendered {
  return { data: renderPem(data), outputs: outputsDigest(spec) };
}
