import { isIP } from 'node:net';
import { TAG } from '../asn1/write.ts';
import type { CertificateView } from '../certificate.ts';
import { NAME_FIELDS, type Names } from '../san.ts';
import { attributesOf } from './directory.ts';
import { isHostForJava, isHostForOpenssl } from './hosts.ts';
import { type ComparedName, comparedName, comparedSubject } from './match.ts';
import type { Form } from './subtrees.ts';

export type NameField = 'commonName' | 'subject' | keyof Names;

/** A name of a certificate that is compared with the subtrees of the CAs above it. */
export interface Presented {
  readonly field: NameField;
  readonly form: Form;
  readonly name: ComparedName;
  /** Why a common name is compared at all, as a clause. */
  readonly because?: string;
  /** Java reads no constraints out of a trust anchor, so what Java alone compares isn't compared with those. */
  readonly notByAnchor?: true;
  /** Whether Java leaves it alone, a common name that only OpenSSL takes for a host name. */
  readonly notByJava?: boolean;
}

export type Named = Pick<CertificateView, 'subject' | 'subjectDer' | 'names'>;

const FORMS = { dnsNames: 'dns', uris: 'uri', emailAddresses: 'email', ipAddresses: 'ip' } as const satisfies Record<
  keyof Names,
  Form
>;

export function presentedNames(names: Names): Presented[] {
  return NAME_FIELDS.flatMap((field) =>
    names[field].map((value) => ({ field, form: FORMS[field], name: comparedName(FORMS[field], value) })),
  );
}

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
const EMPTY_NAME_LENGTH = 2;

/** What a subject says besides the alternative names, with or without the whole of it. Throws an Error if it can't be read. */
export function presentedSubject(named: Named, isLeaf: boolean, withWhole: boolean): Presented[] {
  if (named.subjectDer.length === EMPTY_NAME_LENGTH) return [];
  const mails = attributesOf(named.subjectDer)
    .filter(({ type }) => type === EMAIL_ADDRESS)
    .map(({ value }) => {
      // OpenSSL refuses any other type as soon as a CA has name constraints (X509_V_ERR_UNSUPPORTED_NAME_SYNTAX).
      if (value.tag !== TAG.ia5String) throw new Error('emailAddress is not an IA5String');
      return {
        field: 'subject',
        form: 'email',
        name: comparedName('email', value.content.toString('latin1')),
      } as const;
    });
  const whole: Presented[] = withWhole
    ? [{ field: 'subject', form: 'directory', name: comparedSubject(named.subjectDer) }]
    : [];
  return [...whole, ...mails, ...presentedCommonName(named, isLeaf)];
}

function presentedCommonName({ subject, names }: Named, isLeaf: boolean): Presented[] {
  const { commonName } = subject;
  if (commonName === undefined) return [];
  const presented: Presented[] = [];
  const forJava = isHostForJava(commonName) && isIP(commonName) === 0;
  const add = (form: 'dns' | 'ip', verifier: string, alone: boolean) =>
    presented.push({
      field: 'commonName',
      form,
      name: comparedName(form, commonName),
      because: `${verifier} takes it for ${form === 'ip' ? 'an IP address' : 'a DNS name'} where there are no ${form === 'ip' ? 'ipAddresses' : 'dnsNames'}`,
      ...(alone && { notByAnchor: true }),
      notByJava: !alone && !forJava,
    });
  if (names.dnsNames.length === 0) {
    if (isLeaf && isHostForOpenssl(commonName)) add('dns', 'OpenSSL', false);
    else if (forJava) add('dns', 'Java', true);
  }
  if (names.ipAddresses.length === 0 && isIP(commonName) !== 0 && !commonName.includes('%')) add('ip', 'Java', true);
  return presented;
}
