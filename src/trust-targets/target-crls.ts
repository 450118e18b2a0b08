import type { NewCondition } from '../api/conditions.ts';
import { readable } from '../foreign-text.ts';
import type { CrlSet } from '../revocation/crl/crl-set.ts';

/** The CRLs for the targets of one authority. */
export interface TargetCrls {
  readonly set: CrlSet;
  /** See upperProblems. */
  readonly refused: readonly string[];
  /** Why it is not known which CRLs are published; undefined where that is known. */
  readonly unread: string | undefined;
  /** When one of them, or of those that could be used, expires. */
  readonly nextEnd: Date | undefined;
}

/** The condition that a target of the authority has no room for the CRLs, or lacks one. Present only while it is true. */
export const CRLS_INCOMPLETE = 'CRLsIncomplete';

/** Nothing has been heard of the CRLs since the controller started. */
export const CRLS_NOT_READ = 'the published CRLs have not been read yet';

const LONGEST_MESSAGE = 1_024;

/** `tooLarge` are sentences about targets that have no room for their CRLs. */
export function crlCondition(
  { set: { missing }, refused, unread }: TargetCrls,
  tooLarge: readonly string[],
): NewCondition[] {
  const said = (reason: string, [first = '', ...others]: readonly string[]): NewCondition[] => {
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    const message = readable(`${first}${more}`, LONGEST_MESSAGE);
    return [{ type: CRLS_INCOMPLETE, status: 'True', reason, message }];
  };
  if (unread !== undefined) return said('CRLsUnknown', [unread]);
  if (tooLarge.length > 0) return said('CRLsTooLarge', tooLarge);
  const without = missing.map(({ version, ca: { subjectText }, isUpper }) =>
    isUpper
      ? `${subjectText}, above CA generation ${version}, has no CRL in the targets: servers that check every CA of the chain refuse all clients; put its CRL into a ConfigMap and name that in spec.revocation.crl.upper${because(refused)}`
      : `${subjectText}, CA generation ${version}, has no CRL in the targets: servers that demand one refuse its clients; the condition RevocationStalled says why it is not published`,
  );
  if (without.length > 0) return said('CRLMissing', without);
  return refused.length > 0 ? said('UpperCRLRefused', refused) : [];
}

function because([first]: readonly string[]): string {
  return first === undefined ? '' : `; refused: ${first}`;
}
