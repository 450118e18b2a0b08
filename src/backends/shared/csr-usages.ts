import { DeniedError } from '../../errors.ts';
import { canonicalUsages } from '../../pki/usages.ts';
import type { IssueRequest } from '../backend.ts';

/**
 * For authorities that take the usages from the CSR: the proof would refuse the certificate too, but after it was issued.
 * Throws a DeniedError where a client's own CSR asks for others than the spec.
 */
export function refuseOtherUsages({ csrUsages, identity }: Pick<IssueRequest, 'csrUsages' | 'identity'>): void {
  if (csrUsages === undefined) return;
  const [asked, wanted] = [csrUsages, identity.usages].map(canonicalUsages);
  if (String(asked) === String(wanted)) return;
  throw new DeniedError(
    'RequestDenied',
    `this authority takes the usages from the certificate request of the client, which asks for ${list(asked)} where spec.usages has ${list(wanted)}; for digital signature and client auth: openssl req -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=clientAuth`,
  );
}

function list(usages: readonly string[] = []): string {
  return usages.length === 0 ? 'none' : usages.join(', ');
}
