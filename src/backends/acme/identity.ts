import { isIP } from 'node:net';
import { DeniedError } from '../../errors.ts';
import { addressBytes, addressText } from '../../pki/san.ts';
import { canonicalUsages } from '../../pki/usages.ts';
import type { IssueRequest } from '../backend.ts';
import type { Identifier } from './order.ts';

/** The names that an order is for. Throws a DeniedError for what ACME can't carry. */
export function identifiersOf({ identity }: Pick<IssueRequest, 'identity'>): readonly Identifier[] {
  const { subject, names, usages } = identity;
  const dnsNames = names.dnsNames.map((name) => name.toLowerCase());
  const { commonName } = subject;
  if (commonName !== undefined && !dnsNames.includes(commonName.toLowerCase()))
    throw unsupported(
      `spec.commonName ${commonName} is not one of spec.dnsNames: an ACME server verifies DNS names and IP addresses alone; put it there too, or leave it out`,
    );
  if (!canonicalUsages(usages).includes('client auth'))
    throw unsupported('spec.usages lacks client auth, without which a certificate is no client certificate');
  const identifiers = [
    ...dnsNames.map((value): Identifier => ({ type: 'dns', value })),
    ...names.ipAddresses.map((value): Identifier => ({ type: 'ip', value: ipText(value) })),
  ];
  if (identifiers.length === 0)
    throw unsupported('there is no name in spec.dnsNames and spec.ipAddresses: an ACME server verifies nothing else');
  return identifiers;
}

/** RFC 8738 section 3: the text of RFC 5952, as a server writes it. */
function ipText(value: string): string {
  return isIP(value) === 0 ? value : addressText(addressBytes(value));
}

function unsupported(message: string): DeniedError {
  return new DeniedError('UnsupportedByAuthority', message);
}
