import type { RevocationReason } from '../../api/revocation.ts';

/** RFC 5280 section 5.3.1. */
export const REASON_CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
};
