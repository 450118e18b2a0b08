import { authorityConditions } from '../api/certificate-authority.ts';
import type { AuthorityStatus } from '../api/generated/types.ts';
import type { EventText } from '../certificate/status/events.ts';
import { failingOf, type Stop, whyStopped } from '../rotation/reissue.ts';
import { REISSUE_STOPPED } from './rotation-status.ts';

/** So many certificates are named in an event. */
const NAMED = 3;

/** One event when the re-issue after a change of the CA stops, and one when it goes on. */
export function reissueEvent(
  before: AuthorityStatus,
  after: AuthorityStatus,
  stop: Stop | undefined,
): EventText | undefined {
  const reason = (status: AuthorityStatus) =>
    authorityConditions(status).find(({ type }) => type === 'Rotating')?.reason;
  const [then, now] = [reason(before), reason(after)];
  if (stop !== undefined && now === REISSUE_STOPPED && then !== REISSUE_STOPPED) {
    const named = failingOf(stop).slice(0, NAMED).join(', ');
    const note = `no further certificate of a former CA is re-issued before it is due: ${whyStopped(stop)}; such as ${named}`;
    return { type: 'Warning', reason: 'CAReissueStopped', action: 'Rotate', note };
  }
  // Where no former CA is left, nothing goes on.
  if (then !== REISSUE_STOPPED || now === undefined || now === REISSUE_STOPPED) return undefined;
  const note = 'fewer certificates fail than spec.caRotation.reissue.maxFailures, and the others are re-issued';
  return { type: 'Normal', reason: 'CAReissueResumed', action: 'Rotate', note };
}
