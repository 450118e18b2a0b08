import type { CertificateView } from '../certificate.ts';
import { escapeInvisible } from '../name.ts';

const LONGEST = 200;

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/** A CA's name for messages. */
export function caName({ subjectText }: Pick<CertificateView, 'subjectText'>): string {
  return subjectText === '' ? 'a CA without a name' : `the CA ${cut(subjectText)}`;
}

/** A value of a certificate, quoted; not all of it if it is long. */
export function quoted(value: string): string {
  return cut(escapeInvisible(JSON.stringify(value)));
}

const SHOWN = 3;

/** `a, b, c and 5 more`. */
export function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, SHOWN).join(', ');
  return texts.length > SHOWN ? `${shown} and ${texts.length - SHOWN} more` : shown;
}
