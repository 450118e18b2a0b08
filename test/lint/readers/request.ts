import type { Identity } from '../../../src/api/client-certificate.ts';
import { isKeyUsage } from '../../../src/pki/usages.ts';
import { standardAddress } from './address.ts';
import type { ReadAttribute, Reading } from './reading.ts';

/** The fields of a reading that a request has too. */
type ReadRequest = Pick<
  Reading,
  'subject' | 'spkiSHA256' | 'extensions' | 'dnsNames' | 'emailAddresses' | 'uris' | 'ipAddresses'
>;

/** What a reader has found. Throws an Error where it refused the request. */
export function requestFields(answer: unknown): Readonly<Record<string, unknown>> {
  if ('refused' in (answer as object)) throw new Error((answer as { refused: string }).refused);
  const { subject, spkiSHA256, extensions, ipAddresses, ...names } = answer as ReadRequest;
  return {
    subject: subject.map(([oid, hex]): ReadAttribute => [oid, Buffer.from(hex, 'hex').toString('utf8')]),
    publicKeyPin: Buffer.from(spkiSHA256, 'hex').toString('base64'),
    extensions,
    dnsNames: texts(names.dnsNames),
    emailAddresses: texts(names.emailAddresses),
    uris: texts(names.uris),
    ipAddresses: ipAddresses.map(standardAddress),
  };
}

function texts(list: readonly string[]): readonly string[] {
  return list.map((hex) => Buffer.from(hex, 'hex').toString('utf8'));
}

/** What every reader has to find. */
export function requestExpectation({ subject, names, usages }: Identity, publicKeyPin: string) {
  const hasNames = Object.values(names).some((list) => list.length > 0);
  const attributes = ORDER.flatMap(([field, oid]) =>
    [subject[field] ?? []].flat().map((value): ReadAttribute => [oid, value]),
  );
  return {
    subject: attributes,
    publicKeyPin,
    extensions: [
      ...(usages.some(isKeyUsage) ? [['2.5.29.15', true]] : []),
      ['2.5.29.37', false],
      ...(hasNames ? [['2.5.29.17', attributes.length === 0]] : []),
    ],
    ...names,
  };
}

const ORDER = [
  ['countries', '2.5.4.6'],
  ['provinces', '2.5.4.8'],
  ['localities', '2.5.4.7'],
  ['streetAddresses', '2.5.4.9'],
  ['postalCodes', '2.5.4.17'],
  ['organizations', '2.5.4.10'],
  ['organizationalUnits', '2.5.4.11'],
  ['serialNumber', '2.5.4.5'],
  ['commonName', '2.5.4.3'],
] as const satisfies readonly (readonly [keyof Identity['subject'], string])[];
