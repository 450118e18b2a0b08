import { createHash } from 'node:crypto';
import type { RevocationReason } from '../../api/revocation.ts';
import { CSR_LABEL } from '../../pki/csr.ts';
import { toPem } from '../../pki/pem.ts';
import type { IssueRequest } from '../backend.ts';
import { refuseOtherUsages } from '../shared/csr-usages.ts';
import type { CaArn } from './arn.ts';
import type { SigningAlgorithm } from './description.ts';
import { passthroughOf, type Template, takesCsrUsages } from './template.ts';
import type { ValiditySeconds } from './validity.ts';

/** AWS takes 36 letters and digits at most. */
const TOKEN_LENGTH = 36;

/** AWS's names of the reasons of RFC 5280. */
const REASONS: Readonly<Record<RevocationReason, string>> = {
  unspecified: 'UNSPECIFIED',
  keyCompromise: 'KEY_COMPROMISE',
  affiliationChanged: 'AFFILIATION_CHANGED',
  superseded: 'SUPERSEDED',
  cessationOfOperation: 'CESSATION_OF_OPERATION',
};

/** The input of IssueCertificate. Throws a DeniedError for what the template can't carry. */
export function issueInput(
  { id, csr, csrUsages, identity }: Pick<IssueRequest, 'id' | 'csr' | 'csrUsages' | 'identity'>,
  { arn }: CaArn,
  template: Template,
  SigningAlgorithm: SigningAlgorithm,
  validity: ValiditySeconds,
): Readonly<Record<string, unknown>> {
  if (takesCsrUsages(template)) refuseOtherUsages({ csrUsages, identity });
  const passthrough = passthroughOf(template, identity);
  return {
    CertificateAuthorityArn: arn,
    // A blob, which is base64 in JSON; it holds PEM.
    Csr: Buffer.from(toPem(CSR_LABEL, csr())).toString('base64'),
    SigningAlgorithm,
    TemplateArn: template.arn,
    Validity: { Type: 'ABSOLUTE', Value: validity.notAfter },
    ValidityNotBefore: { Type: 'ABSOLUTE', Value: validity.notBefore },
    // For 5 minutes one token is one certificate.
    IdempotencyToken: createHash('sha256').update(id).digest('hex').slice(0, TOKEN_LENGTH),
    ...(passthrough === undefined ? {} : { ApiPassthrough: passthrough }),
  };
}

/**
 * The input of a request for a certificate that can't be signed, since its CSR is none: what AWS answers shows whether it
 * would sign another.
 */
export function probeInput(
  { arn }: CaArn,
  template: Template,
  SigningAlgorithm: SigningAlgorithm,
): Readonly<Record<string, unknown>> {
  return {
    CertificateAuthorityArn: arn,
    Csr: Buffer.from(toPem(CSR_LABEL, Buffer.from([0x30, 0]))).toString('base64'),
    SigningAlgorithm,
    TemplateArn: template.arn,
    Validity: { Type: 'DAYS', Value: 1 },
  };
}

/** The input of RevokeCertificate; the serial number is lower-case hex. */
export function revokeInput(serialNumber: string, reason: RevocationReason, { arn }: CaArn) {
  const CertificateSerial = serialNumber.match(/../g)?.join(':') ?? serialNumber;
  return { CertificateAuthorityArn: arn, CertificateSerial, RevocationReason: REASONS[reason] };
}
