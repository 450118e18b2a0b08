import type { ClientCertificate } from '../../api/client-certificate.ts';
import type { NewCondition } from '../../api/conditions.ts';

/** Why a certificate is Ready and a wish of a person is not honoured. */
const RENEW_AT_INVALID = 'RenewAtInvalid';

/** Adds to `ready` that the renew-at annotation can't be read: in status it costs a write when it changes, and none at rest. */
export function withUnreadRenewAt(ready: NewCondition, { unreadRenewAt }: ClientCertificate): NewCondition {
  if (unreadRenewAt === undefined) return ready;
  const complaint = `certwheel.io/renew-at "${unreadRenewAt}" is ignored, since it is no moment: write it like 2026-06-01T12:00:00Z, in a shell $(date -u +%FT%TZ)`;
  // What is said of a Ready certificate besides is worth more.
  const reason = ready.reason === 'Issued' ? RENEW_AT_INVALID : ready.reason;
  return { ...ready, reason, message: `${ready.message}; ${complaint}` };
}
