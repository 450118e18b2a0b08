import { authorityKey } from '../../api/certificate-authority.ts';
import type { ClientCertificate } from '../../api/client-certificate.ts';
import { keyOf } from '../../api/parse.ts';
import type { Audit } from '../../audit/event.ts';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import { ruleOf } from '../../policy/permission.ts';
import { publishedEvent } from '../audited.ts';
import { isAuthority } from '../authority-view.ts';
import { scheduleOf } from '../decision/schedule.ts';
import type { Decision, Observed } from '../observed.ts';
import type { CertificateFacts } from '../secret/facts.ts';
import type { SecretView } from '../secret/view.ts';
import { type EventText, fallbackEvent, issuedEvent } from './events.ts';

/** What others may want to know of a certificate that was just published. */
export interface Published {
  /** `namespace/name` of the ClientCertificate. */
  readonly key: string;
  readonly revision: number;
  readonly fingerprintSHA256: string;
}

export interface RecordDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** See ActDeps. */
  readonly audit?: Audit | undefined;
  /** See ActDeps. */
  requestedBy(resource: ClientCertificate): string;
  recordEvent(resource: ClientCertificate, event: EventText): void;
  readonly routineEvents: boolean;
  /** Must only note it, as a listener of a cache: nothing is awaited. */
  published(notice: Published): void;
  readonly metrics: {
    issuedByRule(authority: string, rule: string): void;
    /** By a fallback in place of the authority; both by their keys. */
    fallbackIssued(authority: string, fallback: string): void;
    rotated(authorityType: string, reason: string, seconds: number, latenessSeconds: number | undefined): void;
  };
}

/** Recorded before the status is written, since that may fail and be written by a later run that knows nothing of this one. */
export function recordIssued(
  seen: Observed,
  { reason, message, byFallback }: Extract<Decision, { do: 'issue' }>,
  { memory: { revision, issuedBy } }: Pick<SecretView, 'memory'>,
  issued: CertificateFacts,
  tookMs: number,
  deps: RecordDeps,
): void {
  const { authority, resource, held } = seen;
  const now = deps.clock.now();
  const due = reason === 'Due' && held !== undefined ? scheduleOf(seen, held, now).due : undefined;
  const latenessMs = due && Math.max(0, now.getTime() - due.getTime());
  deps.metrics.rotated(
    isAuthority(authority) ? authority.type : 'none',
    reason,
    tookMs / 1000,
    latenessMs === undefined ? undefined : latenessMs / 1000,
  );
  const rule = ruleOf(seen.permission)?.name;
  const { namespace } = resource;
  const keyAt = (name: string) => authorityKey({ ...resource.spec.authorityRef, name, namespace });
  const own = keyAt(resource.spec.authorityRef.name);
  const fallback = byFallback && seen.issuedBy !== undefined ? keyAt(nameIn(seen.issuedBy)) : undefined;
  // The rule is one of the authority that signed.
  if (rule !== undefined) deps.metrics.issuedByRule(fallback ?? own, rule);
  if (fallback !== undefined) deps.metrics.fallbackIssued(own, fallback);
  const event =
    fallback !== undefined && seen.issuedBy !== undefined
      ? fallbackEvent(seen.issuedBy, issued)
      : issuedEvent(resource, reason, message, issued, deps.routineEvents);
  if (event !== undefined) deps.recordEvent(resource, event);
  deps.published({ key: keyOf(resource), revision, fingerprintSHA256: issued.fingerprintSHA256 });
  deps.audit?.write(publishedEvent(seen, reason, revision, deps.requestedBy(resource), issued));
  deps.log.info('certificate issued', {
    ...logged(seen),
    reason,
    message,
    rule,
    issuedBy,
    serial: issued.serialNumber,
    notAfter: issued.notAfter,
  });
}

/** The name in `CertificateAuthority/name`. */
function nameIn(authority: string): string {
  return authority.slice(authority.indexOf('/') + 1);
}

/** What each log line about a certificate says. */
export function logged({ resource, authority }: Observed) {
  return {
    namespace: resource.namespace,
    name: resource.name,
    authority: resource.spec.authorityRef.name,
    authorityType: isAuthority(authority) ? authority.type : undefined,
  };
}
