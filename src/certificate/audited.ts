import { isUnread } from '../api/certificate-approval.ts';
import { authorityKey } from '../api/certificate-authority.ts';
import type { ClientCertificate } from '../api/client-certificate.ts';
import type { AuditApproval, AuditEvent, AuditNames } from '../audit/event.ts';
import type { Signing } from '../backends/backend.ts';
import type { CertificateView } from '../pki/certificate.ts';
import type { Subject } from '../pki/name.ts';
import type { Names } from '../pki/san.ts';
import type { Approval, Permission } from '../policy/permission.ts';
import { ruleOf } from '../policy/permission.ts';
import type { Act, Observed } from './observed.ts';
import type { CertificateFacts } from './secret/facts.ts';
import type { SecretView } from './secret/view.ts';
import type { EventText } from './status/events.ts';

type Acting = Pick<Observed, 'resource' | 'permission' | 'issuedBy'>;

/** What each line about a ClientCertificate says. */
function about({ resource, issuedBy }: Pick<Acting, 'resource' | 'issuedBy'>) {
  const { namespace, name, uid, spec } = resource;
  const keyAt = (authority: string) => authorityKey({ ...spec.authorityRef, name: authority, namespace });
  const signedBy = issuedBy === undefined ? undefined : keyAt(issuedBy.slice(issuedBy.indexOf('/') + 1));
  return { authority: keyAt(spec.authorityRef.name), namespace, name, uid, signedBy };
}

/** The line of a signature: `signing` is what is signed, or the certificate that another machine has signed. */
export function signedEvent(
  acting: Acting,
  signing: Signing,
  {
    names,
    keyPin,
    rule,
    requestedBy,
    externalId,
  }: Pick<AuditEvent, 'names' | 'keyPin' | 'rule' | 'requestedBy' | 'externalId'>,
): AuditEvent {
  const { serialNumber: serial, issuer, notBefore, notAfter, generation } = signing;
  const approval = approvalIn(acting.permission);
  const facts = { serial, issuer, keyPin, names, notBefore, notAfter, generation, externalId };
  return { event: 'signed', ...about(acting), requestedBy, ...facts, rule, approval };
}

/** The line of a request to another machine, whose answer may be lost: its key tells whose certificate it is all the same. */
export function requestedEvent(
  acting: Acting,
  facts: Pick<AuditEvent, 'names' | 'keyPin' | 'rule' | 'requestedBy'>,
): AuditEvent {
  return { event: 'requested', ...about(acting), ...facts };
}

/** What another machine has signed. Its issuer is the certificate behind the leaf, where the answer has one. */
export function signingOf([leaf, issuer]: readonly CertificateView[]): Signing | undefined {
  if (leaf === undefined) return undefined;
  const { serialNumber, notBefore, notAfter } = leaf;
  return { serialNumber, notBefore, notAfter, issuer: issuer?.fingerprintSHA256, generation: undefined };
}

export function namesOf({ subject, names }: { readonly subject: Subject; readonly names: Names }): AuditNames {
  const all = Object.entries({ ...subject, ...names });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined && value.length > 0));
}

/** The line of a certificate that was published. */
export function publishedEvent(
  acting: Acting,
  reason: string,
  revision: number,
  requestedBy: string,
  issued: CertificateFacts,
): AuditEvent {
  const { serialNumber: serial, publicKeyPinSHA256: keyPin, issuerFingerprint: issuer, notBefore, notAfter } = issued;
  const facts = { serial, issuer, keyPin, notBefore, notAfter, reason, revision };
  return { event: 'published', ...about(acting), requestedBy, ...facts, rule: ruleOf(acting.permission)?.name };
}

/** The line of a Secret that a person has handed over and that is taken over now; undefined for one that was ours. */
export function adoptedEvent(seen: Observed, { do: act }: Act, secret: SecretView): AuditEvent | undefined {
  if (seen.secret === undefined || seen.ours !== undefined) return undefined;
  const { namespace, name } = secret;
  const detail = act === 'issue' ? 'with a new certificate' : 'with the certificate that it held';
  const serial = act === 'issue' ? undefined : secret.certificate?.serialNumber;
  return { event: 'adopted', ...about(seen), object: `Secret ${namespace}/${name}`, serial, detail };
}

/** Reasons of a trouble that are a decision against the request, not a failure. */
const DENIALS: ReadonlySet<string> = new Set([
  'DeniedByPolicy',
  'ApprovalPending',
  'ApprovalDenied',
  'TooManyCertificates',
  'SystemIdentityDenied',
  'TemplateKeyDenied',
  'ForbiddenByCA',
  'LimitExceeded',
  'NamespaceFull',
  'NamespaceNotAllowed',
  'RequestDenied',
]);

/** The line of a denial, from the event of the trouble; undefined for any other trouble. */
export function deniedEvent(
  resource: ClientCertificate,
  trouble: Pick<EventText, 'reason' | 'note'>,
  requestedBy: string,
): AuditEvent | undefined {
  if (!DENIALS.has(trouble.reason)) return undefined;
  const names = namesOf(resource.spec.identity);
  const { reason, note: detail } = trouble;
  return { event: 'denied', ...about({ resource, issuedBy: undefined }), requestedBy, names, reason, detail };
}

/** The line of a person's decision that permits the request; undefined where the rule needs none. */
export function approvedEvent(acting: Acting, requestedBy: string): AuditEvent | undefined {
  const approval = approvalIn(acting.permission);
  const rule = ruleOf(acting.permission)?.name;
  return approval && { event: 'approved', ...about(acting), requestedBy, rule, approval };
}

function approvalIn(permission: Permission): AuditApproval | undefined {
  return permission.is === 'allowed' ? approvalOf(permission.approval) : undefined;
}

function approvalOf(approval: Approval | undefined): AuditApproval | undefined {
  if (typeof approval !== 'object' || isUnread(approval) || !approval.isApproved) return undefined;
  const { name, uid, approvedBy = 'unverified', createdAt, validUntil } = approval;
  return { name, uid, approvedBy, createdAt, validUntil };
}
