import { classify, type ErrorCode } from '../../errors.ts';
import type { Trouble } from '../../trouble.ts';
import { type DesiredObject, nameOf } from '../desired.ts';

/** What is wrong, as the status of the target says it. */
export function troubleOf(thrown: unknown, object: DesiredObject): Trouble {
  const { code, message } = classify(thrown);
  return { code: CODES[code] ?? 'TrustTargetPending', message: `${nameOf(object)}: ${message}` };
}

const CODES: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  CredentialsNotFound: 'TrustTargetForbidden',
  CredentialsRefused: 'TrustTargetForbidden',
  AuthorityMisconfigured: 'TrustTargetRefused',
  InvalidAnswer: 'TrustTargetRefused',
  AuthorityNotTrusted: 'TrustTargetRefused',
  Unexpected: 'Unexpected',
};
