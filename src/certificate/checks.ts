import type { ClientCertificate } from '../api/client-certificate.ts';
import { lastFailureOf } from '../api/client-certificate.ts';
import { toRfc3339 } from '../api/conditions.ts';
import { formatDuration } from '../api/duration.ts';
import { subjectProblem } from '../pki/name.ts';
import { namesProblem } from '../pki/san.ts';
import { usagesProblem } from '../pki/usages.ts';
import { canonicalIdentity } from './identity.ts';
import {
  type AuthorityView,
  type Decision,
  isAdoptable,
  isOurs,
  type Observed,
  type Permission,
  type RotationReason,
} from './observed.ts';
import { caRotationDue, schedule } from './schedule.ts';
import { templateKeys } from './secret-manifest.ts';
import type { CertificateFacts } from './secret-view.ts';

/** Status is not believed beyond this: no pause of ours is longer than an hour with its jitter, and no Retry-After either. */
const LONGEST_REST_MS = 2 * 3_600_000;
/** What a write of the Secret can fail with, as status tells it. */
const WRITE_FAILURES: readonly string[] = ['Forbidden', 'SecretRefused', 'SecretNotOwned', 'Unexpected'];

export type Refusal = Extract<Decision, { do: 'refuse' | 'wait' }>;
export type Obstacle = Extract<Decision, { do: 'wait' }>;
export interface Need {
  readonly reason: RotationReason;
  readonly message: string;
}

// Refusals: why nothing is done at all.

export function namesTakenSecret({ resource, olderRival }: Observed): Refusal | undefined {
  if (olderRival === undefined) return undefined;
  return refuse(
    'SecretConflict',
    `Secret ${resource.spec.secretName} belongs to the older ClientCertificate ${olderRival}; choose another secretName or delete one of the two`,
  );
}

export function secretIsForeign(seen: Observed): Refusal | undefined {
  const { resource, secret } = seen;
  if (secret === undefined || isOurs(seen)) return undefined;
  if (isAdoptable(seen)) {
    if (secret.type === 'kubernetes.io/tls') return undefined;
    return refuse(
      'SecretNotOwned',
      `Secret ${secret.name} is to be adopted but has type ${secret.type}, which can't be changed; delete it or choose another secretName`,
    );
  }
  const hint = `to hand it over: kubectl annotate secret -n ${secret.namespace} ${secret.name} certwheel.io/adopt=${resource.name}`;
  return refuse('SecretNotOwned', `Secret ${secret.name} exists and is not this ClientCertificate's; ${hint}`);
}

export function identityCanNotBeWritten({ resource }: Observed): Refusal | undefined {
  const { identity, key } = resource.spec;
  const problem =
    subjectProblem(identity.subject) ?? namesProblem(identity.names) ?? usagesProblem(identity.usages, key);
  return problem === undefined ? undefined : refuse('InvalidSpec', problem);
}

export function authorityIsMissing({ resource, authority }: Observed): Refusal | undefined {
  const { kind, name } = resource.spec.authorityRef;
  switch (authority) {
    case 'AuthorityNotFound':
      return wait(
        'AuthorityNotFound',
        kind === 'CertificateAuthority'
          ? `there is no CertificateAuthority ${name} in namespace ${resource.namespace}`
          : `there is no ClusterCertificateAuthority ${name}`,
      );
    case 'AuthorityNotReady':
      return wait('AuthorityNotReady', `the spec of ${kind} ${name} is invalid; its status says why`);
    case 'ClusterAuthorityNotServed':
      return wait(
        'ClusterAuthorityNotServed',
        `ClusterCertificateAuthority ${name} can't be used: this controller serves single namespaces only; use a CertificateAuthority`,
      );
    case 'NamespaceNotAllowed':
      return wait(
        'NamespaceNotAllowed',
        `ClusterCertificateAuthority ${name} does not list namespace ${resource.namespace} in spec.allowedNamespaces`,
      );
    default:
      return undefined;
  }
}

export function notPermitted(_seen: Observed, permission: Permission): Refusal | undefined {
  return permission.allowed ? undefined : refuse('NotPermitted', permission.reason);
}

export function asksForSystemIdentity({ resource, authority }: Observed): Refusal | undefined {
  if (!isAuthority(authority) || authority.limits.allowSystemIdentities) return undefined;
  const { commonName = '', organizations = [] } = resource.spec.identity.subject;
  const claimed = [commonName, ...organizations].find((name) => name.trimStart().toLowerCase().startsWith('system:'));
  if (claimed === undefined) return undefined;
  return refuse(
    'SystemIdentityDenied',
    `"${claimed}" is an identity of Kubernetes itself; the authority must say allowSystemIdentities to issue it`,
  );
}

export function exceedsLimits({ resource, authority }: Observed): Refusal | undefined {
  if (!isAuthority(authority)) return undefined;
  const { spec } = resource;
  const { maxDurationMs, keyAlgorithms, usages } = authority.limits;
  if (maxDurationMs !== undefined && spec.durationMs > maxDurationMs) {
    return refuse(
      'LimitExceeded',
      `duration ${formatDuration(spec.durationMs)} exceeds the authority's maxDuration ${formatDuration(maxDurationMs)}`,
    );
  }
  if (keyAlgorithms !== undefined && !keyAlgorithms.includes(spec.key.algorithm)) {
    return refuse(
      'LimitExceeded',
      `the authority allows the key algorithms ${keyAlgorithms.join(', ')}, not ${spec.key.algorithm}`,
    );
  }
  const usage = usages === undefined ? undefined : spec.identity.usages.find((each) => !usages.includes(each));
  if (usage !== undefined)
    return refuse('LimitExceeded', `the authority allows the usages ${usages?.join(', ')}, not ${usage}`);
  return undefined;
}

export function unsupportedByAuthority({ resource, authority }: Observed): Refusal | undefined {
  if (!isAuthority(authority)) return undefined;
  const { identity, keyAlgorithms, usages } = authority.capabilities;
  const { key } = resource.spec;
  if (!keyAlgorithms.includes(key.algorithm))
    return unsupported(authority, `spec.privateKey.algorithm ${key.algorithm}`);
  const usage = usages === 'any' ? undefined : resource.spec.identity.usages.find((each) => !usages.includes(each));
  if (usage !== undefined) return unsupported(authority, `spec.usages ${usage}`);
  const { subject, names } = resource.spec.identity;
  const { commonName, ...rest } = subject;
  const asked = { commonName, subject: Object.values(rest).flat().join(''), ...names };
  const field = (Object.keys(asked) as (keyof typeof asked)[]).find(
    (each) => (asked[each]?.length ?? 0) > 0 && !identity.includes(each),
  );
  return field === undefined ? undefined : unsupported(authority, `spec.${field}`);
}

// Needs: why a new certificate is needed.

export function secretIsMissing({ resource, secret }: Observed): Need | undefined {
  if (secret !== undefined) return undefined;
  return resource.status.revision === undefined
    ? { reason: 'FirstIssue', message: 'there is no Secret yet' }
    : { reason: 'SecretRepaired', message: `Secret ${resource.spec.secretName} is gone` };
}

export function secretIsUnusable({ secret }: Observed): Need | undefined {
  return secret?.problem === undefined ? undefined : { reason: 'SecretRepaired', message: secret.problem };
}

export function differsFromSpec({ resource, secret }: Observed): Need | undefined {
  const held = secret?.certificate;
  if (held === undefined) return undefined;
  const { spec } = resource;
  const wanted = canonicalIdentity(spec.identity);
  const changed = (['subject', 'names', 'usages'] as const).find((part) => held.identity[part] !== wanted[part]);
  if (changed !== undefined)
    return { reason: 'SpecChanged', message: `the ${changed} of the certificate are not those of the spec` };
  if (JSON.stringify(held.key) !== JSON.stringify(spec.key))
    return { reason: 'SpecChanged', message: 'the private key is not of the kind that the spec asks for' };
  const requestedMs = secret?.memory.requestedDurationMs;
  // The Secret remembers whole seconds, and a certificate counts no others.
  if (requestedMs !== undefined && formatDuration(requestedMs) !== formatDuration(spec.durationMs))
    return { reason: 'SpecChanged', message: `the duration is now ${formatDuration(spec.durationMs)}` };
  return undefined;
}

export function comesFromElsewhere({ resource, authority, secret }: Observed): Need | undefined {
  const held = secret?.certificate;
  if (held === undefined) return undefined;
  const remembered = secret?.memory.authority;
  // Asked first: it holds of an authority that isn't there, too.
  if (remembered !== undefined && remembered !== authorityName(resource))
    return { reason: 'AuthorityChanged', message: `the certificate was issued by ${remembered}` };
  // Until its trust is known, an authority can't disown what it issued.
  if (
    isAuthority(authority) &&
    authority.trust.anchors.size > 0 &&
    !authority.trust.anchors.has(held.anchorFingerprint)
  )
    return { reason: 'AuthorityChanged', message: 'the certificate does not lead to a CA of the authority' };
  return undefined;
}

export function renewalAsked({ resource, secret }: Observed, _permission: Permission, now: Date): Need | undefined {
  const { renewAt } = resource;
  const issuedAt = secret?.memory.issuedAt;
  // Honoured once: what it brings is issued later than it.
  if (renewAt === undefined || issuedAt === undefined || renewAt <= issuedAt || renewAt > now) return undefined;
  return { reason: 'RenewAt', message: `asked for by certwheel.io/renew-at ${toRfc3339(renewAt)}` };
}

export function signedByFormerGeneration(seen: Observed, _permission: Permission, now: Date): Need | undefined {
  const due = momentOfCARotation(seen);
  if (due === undefined || due > now) return undefined;
  return { reason: 'CARotated', message: 'the CA that signed the certificate has a successor' };
}

export function isDue(seen: Observed, _permission: Permission, now: Date): Need | undefined {
  const held = seen.secret?.certificate;
  if (held === undefined || endsWithItsCA(held, seen.authority)) return undefined;
  const { due } = schedule(held, { ...seen.resource.spec, uid: seen.resource.uid });
  return due > now ? undefined : { reason: 'Due', message: `due since ${toRfc3339(due)}` };
}

// Obstacles: why a certificate that is needed can't be had now.

export function authorityIsNotReady({ authority }: Observed): Obstacle | undefined {
  if (!isAuthority(authority) || authority.trouble === undefined) return undefined;
  return wait('AuthorityNotReady', `${authority.trouble.code}: ${authority.trouble.message}`);
}

export function isRestingAfterFailure(
  { resource }: Observed,
  _permission: Permission,
  now: Date,
): Obstacle | undefined {
  const failure = lastFailureOf(resource.status);
  // A new spec, or a person who asks for it, is worth a try at once.
  if (failure === undefined || resource.status.observedGeneration !== resource.generation) return undefined;
  if (resource.renewAt !== undefined && isAfterSecondOf(failure.at, resource.renewAt) && resource.renewAt <= now)
    return undefined;
  // What failed in the future did so before the clock was set back.
  if (failure.at > now) return undefined;
  const until = new Date(Math.min(failure.nextAttemptAt.getTime(), failure.at.getTime() + LONGEST_REST_MS));
  if (until <= now) return undefined;
  const { reason, message } = resource.status.lastFailure ?? {};
  return {
    do: 'wait',
    code: (reason ?? 'Unexpected') as Obstacle['code'],
    message: message ?? '',
    recheckAt: until,
  };
}

/** The Secret itself couldn't be written; what an authority did wrong is no reason not to write. */
export function isRestingAfterFailedWrite(seen: Observed, permission: Permission, now: Date): Obstacle | undefined {
  const rest = isRestingAfterFailure(seen, permission, now);
  return rest !== undefined && WRITE_FAILURES.includes(rest.code) ? rest : undefined;
}

/** The moment of a failure is kept in whole seconds, so a wish of the same second may have been part of the try. */
function isAfterSecondOf(failedAt: Date, wish: Date): boolean {
  return wish.getTime() >= failedAt.getTime() + 1_000;
}

// Flaws: why a Secret must be written anew around the certificate that it holds.

export function isNotMarked(seen: Observed): string | undefined {
  if (!isOurs(seen)) return 'adopted';
  const { authority, issuedAt, revision } = seen.secret?.memory ?? {};
  return authority === undefined || issuedAt === undefined || revision === 0
    ? 'its annotations were damaged'
    : undefined;
}

export function trustHasChanged({ authority, secret }: Observed): string | undefined {
  if (!isAuthority(authority) || authority.trust.pem === '') return undefined;
  // A bundle to which the certificate doesn't lead would make the Secret unusable; there a new certificate is needed.
  const held = secret?.certificate;
  if (held !== undefined && !authority.trust.anchors.has(held.anchorFingerprint)) return undefined;
  return secret?.trustBundleHash === authority.trust.hash ? undefined : 'the trust bundle has changed';
}

export function keyIsEncodedOtherwise({ resource, secret }: Observed): string | undefined {
  const { keyEncoding } = resource.spec;
  const held = secret?.certificate;
  // There is one encoding of an Ed25519 key; where another kind is asked for, that takes a new certificate.
  if (held === undefined || held.key?.algorithm === 'Ed25519' || held.keyEncoding === keyEncoding) return undefined;
  return `its private key is not written in ${keyEncoding}`;
}

export function differsFromTemplate({ resource, secret }: Observed): string | undefined {
  if (secret === undefined) return undefined;
  const { secretLabels, secretAnnotations } = resource.spec;
  const intact =
    contains(secret.labels, secretLabels) &&
    contains(secret.annotations, secretAnnotations) &&
    secret.memory.templateKeys === templateKeys(resource);
  return intact ? undefined : 'its labels or annotations are not those of spec.secretTemplate';
}

export function ownerReferenceIsWrong({ resource, secret }: Observed): string | undefined {
  const wanted = resource.spec.deletionPolicy === 'Delete';
  return secret?.ownerReferences.includes(resource.uid) === wanted
    ? undefined
    : `its owner reference does not fit deletionPolicy ${resource.spec.deletionPolicy}`;
}

// What several checks and the status share.

/** When a certificate of a former CA generation is to be re-issued; undefined for one of the generation that signs. */
export function momentOfCARotation({ resource, authority, secret }: Observed): Date | undefined {
  const held = secret?.certificate;
  if (held === undefined || !isAuthority(authority) || authority.signing === undefined) return undefined;
  const generation = authority.generations.get(held.issuerFingerprint);
  if (generation === undefined || generation.signs || generation.version === authority.signing.version)
    return undefined;
  return caRotationDue(resource.uid, authority.signing.version, authority.signing.since, resource.spec.durationMs);
}

/** True where the CA's own end has cut the life short already, so that a renewal would gain nothing. */
export function endsWithItsCA(held: CertificateFacts, authority: Observed['authority']): boolean {
  return isAuthority(authority) && authority.signing !== undefined && authority.signing.notAfter <= held.notAfter;
}

/** `CertificateAuthority/name`, as it stands on the Secret. */
export function authorityName({ spec }: Pick<ClientCertificate, 'spec'>): string {
  return `${spec.authorityRef.kind}/${spec.authorityRef.name}`;
}

export function isAuthority(authority: Observed['authority']): authority is AuthorityView {
  return typeof authority !== 'string';
}

function contains(entries: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => entries[key] === value);
}

function refuse(code: Refusal['code'], message: string): Refusal {
  return { do: 'refuse', code, message };
}

function unsupported(authority: AuthorityView, field: string): Refusal {
  return refuse('UnsupportedByAuthority', `an authority of type ${authority.type} can't issue ${field}`);
}

function wait(code: Obstacle['code'], message: string): Obstacle {
  return { do: 'wait', code, message, recheckAt: undefined };
}
