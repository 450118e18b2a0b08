import { toRfc3339 } from '../../api/conditions.ts';
import { wholeSecondsUp } from '../../api/moments.ts';
import { ruleOf } from '../../policy/permission.ts';
import { authorityName, isAuthority, ownTrustOf } from '../authority-view.ts';
import type { FallbackView, Observed } from '../observed.ts';
import { refusedByAuthority } from './authority-refusals.ts';
import { type Refusal, refuse, wait } from './refusals.ts';
import { scheduleOf } from './schedule.ts';

/** So long an authority must be in trouble before a certificate that isn't there at all comes from its fallback. */
const TROUBLE_MS = 60_000;

/** Whether a certificate that the authority can't issue now comes from its fallback. */
export type FallbackTurn =
  /** There is no fallback. */
  | { readonly is: 'none' }
  /** Not before `at`. `hindered` says why the fallback couldn't issue it if it were asked now. */
  | { readonly is: 'later'; readonly name: string; readonly at: Date; readonly hindered?: string | undefined }
  /** The fallback can't issue it either. */
  | { readonly is: 'refused'; readonly name: string; readonly message: string; readonly recheckAt: Date | undefined }
  | { readonly is: 'now'; readonly name: string };

/** Pure; for a certificate that is needed, and whose authority is in trouble. */
export function fallbackTurn(seen: Observed, now: Date): FallbackTurn {
  const { authority, fallback } = seen;
  if (fallback === undefined || !isAuthority(authority) || authority.trouble === undefined) return { is: 'none' };
  const name = authorityName(fallback.resource);
  const at = fallbackAt(seen, now);
  const refusal = ownTrustIsUnknown(seen) ?? refusedByFallback(fallback, now) ?? trustIsNotSpread(seen);
  const message = refusal && `${refusal.code}: ${refusal.message}`;
  if (at > now) return { is: 'later', name, at, hindered: message };
  if (message === undefined) return { is: 'now', name };
  return { is: 'refused', name, message, recheckAt: refusal?.recheckAt };
}

/**
 * From when the fallback is used. A valid certificate waits for its authority until a third of the time from due to its end
 * is left. Where there is none, the authority must have been in trouble for a minute, or a tenth of the life that is asked
 * for: a restart of its server must not make first issues come from elsewhere.
 */
export function fallbackAt(seen: Observed, now: Date): Date {
  const { held, authority, resource } = seen;
  if (held !== undefined && seen.ours !== undefined) {
    const { due } = scheduleOf(seen, held, now);
    const endMs = held.notAfter.getTime();
    return wholeSecondsUp(new Date(endMs - (endMs - due.getTime()) / 3));
  }
  const since = (isAuthority(authority) ? authority.troubleSince : undefined) ?? now;
  // A moment in the future is from before the clock was set back.
  return wholeSecondsUp(
    new Date(Math.min(since.getTime(), now.getTime()) + Math.min(TROUBLE_MS, resource.spec.durationMs / 10)),
  );
}

/** Its ca.crt would lack the CA of the authority, and the workload would refuse its peers. */
function ownTrustIsUnknown({ authority, resource }: Observed): Refusal | undefined {
  if (!isAuthority(authority) || ownTrustOf(authority).anchors.size > 0) return undefined;
  return wait('AuthorityNotReady', `the CA certificates of ${authorityName(resource)} itself are not known yet`);
}

/** Verifiers would refuse what the fallback signs with a CA that isn't part of the trust bundle. */
function trustIsNotSpread({ authority, fallback, resource }: Observed): Refusal | undefined {
  if (!isAuthority(authority) || fallback === undefined || !isAuthority(fallback.authority)) return undefined;
  const stated = [...ownTrustOf(fallback.authority).anchors.keys()];
  if (stated.every((each) => authority.trust.anchors.has(each))) return undefined;
  return wait(
    'AuthorityNotReady',
    `its CA certificates are not part of the trust bundle of ${authorityName(resource)} yet`,
  );
}

/** Why the fallback may not, or can't, issue the certificate. */
export function refusedByFallback({ resource, authority, permission }: FallbackView, now: Date): Refusal | undefined {
  const refusal = refusedByAuthority({ resource, authority, permission }, now);
  if (refusal !== undefined) return refusal;
  const rule = ruleOf(permission);
  // Places belong to the certificates that refer to the authority, so that these would have no bound.
  if (rule?.terms.maxCertificates !== undefined)
    return refuse(
      'DeniedByPolicy',
      `rule ${rule.name} of ${authorityName(resource)} has maxCertificates, which counts the certificates that refer to it and no others; give the fallback a rule without it`,
    );
  if (!isAuthority(authority)) return undefined;
  if (authority.trouble !== undefined) return wait('AuthorityNotReady', troubleText(authority.trouble));
  if (ownTrustOf(authority).anchors.size === 0)
    return wait('AuthorityNotReady', 'its CA certificates are not known before it has issued a certificate');
  return undefined;
}

function troubleText({ code, message }: { readonly code: string; readonly message: string }): string {
  return `${code}: ${message}`;
}

/** What a certificate waits for that its authority can't issue, with what is known of its fallback. */
export function withFallback(message: string, turn: FallbackTurn): string {
  switch (turn.is) {
    case 'later':
      return turn.hindered === undefined
        ? `${message}; from ${toRfc3339(turn.at)} on it comes from the fallback ${turn.name}`
        : `${message}; from ${toRfc3339(turn.at)} on it would come from the fallback ${turn.name}, which can't issue it now: ${turn.hindered}`;
    case 'refused':
      return `${message}; nor can the fallback ${turn.name} issue it: ${turn.message}`;
    default:
      return message;
  }
}
