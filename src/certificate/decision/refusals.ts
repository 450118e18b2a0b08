import { formatDuration } from '../../api/duration.ts';
import { constraintsProblem, policiesToCopy } from '../../pki/constraints/constraints.ts';
import { encodeName, subjectProblem } from '../../pki/name.ts';
import { namesProblem } from '../../pki/san.ts';
import { usagesProblem } from '../../pki/usages.ts';
import { type AuthorityView, isAuthority } from '../authority-view.ts';
import { type Decision, isAdoptable, isOfEarlier, type Observed } from '../observed.ts';
import { secretType } from '../secret/secret-type.ts';
import { deniedKey } from './exported-keys.ts';

/** The field can't be changed, so it takes another resource. */
const OTHER_SECRET = 'create this ClientCertificate anew with another secretName';

/** Why nothing is done at all. */
export type Refusal = Extract<Decision, { do: 'refuse' | 'wait' }>;

type AuthorityAnd = Pick<Observed, 'resource' | 'authority'>;

export function secretIsProtected({ resource, protection }: Observed): Refusal | undefined {
  if (protection === undefined) return undefined;
  return refuse(protection.code, `Secret ${resource.spec.secretName} ${protection.reason}; ${OTHER_SECRET}`);
}

export function namesTakenSecret({ resource, rival }: Observed): Refusal | undefined {
  if (rival === undefined) return undefined;
  return refuse(
    'SecretConflict',
    `Secret ${resource.spec.secretName} belongs to ClientCertificate ${rival}, which goes first; ${OTHER_SECRET}`,
  );
}

export function secretIsForeign(seen: Observed): Refusal | undefined {
  const { resource, secret } = seen;
  if (secret === undefined || seen.ours !== undefined) return undefined;
  const whose = isOfEarlier(seen)
    ? 'was written for an earlier ClientCertificate of this name'
    : "exists and is not this ClientCertificate's";
  if (secret.type !== secretType(resource.spec))
    return refuse(
      'SecretNotOwned',
      `Secret ${secret.name} ${whose}; its type ${secret.type} can't be changed, so it can't be handed over: ${OTHER_SECRET}`,
    );
  if (isAdoptable(seen)) return undefined;
  const hint = `to hand it over: kubectl annotate secret -n ${secret.namespace} ${secret.name} --overwrite certwheel.io/adopt=${resource.name}`;
  return refuse('SecretNotOwned', `Secret ${secret.name} ${whose}; ${hint}`);
}

/** The field can't be taken away again (Kubernetes, "Immutable Secrets"). */
export function secretIsImmutable({ secret }: Observed): Refusal | undefined {
  if (secret?.isImmutable !== true) return undefined;
  return refuse(
    'SecretRefused',
    `Secret ${secret.name} is immutable, so its certificate can't be renewed; delete it, and Certwheel creates it anew with a new certificate: kubectl delete secret -n ${secret.namespace} ${secret.name}`,
  );
}

/** Made before spec.csr was added, or taken away (Kubernetes, "Secret types": the type is immutable). */
export function secretIsOfOtherType({ resource, ours }: Observed): Refusal | undefined {
  const wanted = secretType(resource.spec);
  if (ours === undefined || ours.type === wanted) return undefined;
  const why =
    wanted === 'Opaque'
      ? 'with spec.csr it must be Opaque and have no private key'
      : `without spec.csr it must be ${wanted}`;
  return refuse(
    'SecretRefused',
    `Secret ${ours.name} has the type ${ours.type}, which can't be changed, and ${why}; delete it, and Certwheel creates it anew with a new certificate: kubectl delete secret -n ${ours.namespace} ${ours.name}`,
  );
}

export function identityCanNotBeWritten({ resource }: Observed): Refusal | undefined {
  const { identity, key } = resource.spec;
  const problem =
    subjectProblem(identity.subject) ?? namesProblem(identity.names) ?? usagesProblem(identity.usages, key);
  return problem === undefined ? undefined : refuse('InvalidSpec', problem);
}

export function storePasswordIsUnusable({ storePasswords }: Observed): Refusal | undefined {
  if (storePasswords === undefined || 'tag' in storePasswords) return undefined;
  return wait('KeystorePasswordUnusable', `the key stores need their password: ${storePasswords.problem}`);
}

export function templateExportsTheKey({ resource, deniedPrefixes = [] }: Observed): Refusal | undefined {
  const denied = deniedKey(resource, deniedPrefixes);
  if (denied === undefined) return undefined;
  const { field, key, prefix } = denied;
  return refuse(
    'TemplateKeyDenied',
    `spec.secretTemplate.${field} has the key ${key}, by which other programs copy or hand out the Secret with its private key; --denied-template-prefixes of the controller lists ${prefix}; take it out of the template`,
  );
}

export function authorityIsMissing({ resource, authority }: AuthorityAnd): Refusal | undefined {
  const { kind, name } = resource.spec.authorityRef;
  switch (authority) {
    case 'AuthorityNotFound':
      return wait(
        'AuthorityNotFound',
        kind === 'CertificateAuthority'
          ? `there is no CertificateAuthority ${name} in namespace ${resource.namespace}`
          : `there is no ClusterCertificateAuthority ${name}`,
      );
    case 'AuthorityNotSeen':
      return wait('AuthorityNotReady', `${kind} ${name} has not been reconciled yet`);
    case 'AuthorityNotReady':
      return wait('AuthorityNotReady', `${kind} ${name} can't be used; its status says why`);
    case 'ClusterAuthorityNotServed':
      return wait(
        'ClusterAuthorityNotServed',
        `ClusterCertificateAuthority ${name} can't be used: this controller serves single namespaces only, so that takes controller.clusterAuthorities of the chart (--cluster-authorities), and an authority without a selector in allowedNamespaces or in a rule, as its status says; or use a CertificateAuthority`,
      );
    case 'NamespaceNotAllowed':
      return wait(
        'NamespaceNotAllowed',
        `ClusterCertificateAuthority ${name} does not list namespace ${resource.namespace} in spec.allowedNamespaces`,
      );
    case 'NamespaceNotSeen':
      return wait(
        'AuthorityNotReady',
        `ClusterCertificateAuthority ${name} serves namespaces by their labels, and those of namespace ${resource.namespace} are not known yet`,
      );
    default:
      return undefined;
  }
}

export function asksForSystemIdentity({ resource, authority }: AuthorityAnd): Refusal | undefined {
  if (!isAuthority(authority) || authority.limits.allowSystemIdentities) return undefined;
  const { commonName = '', organizations = [] } = resource.spec.identity.subject;
  const claimed = [commonName, ...organizations].find(isSystemName);
  if (claimed === undefined) return undefined;
  return refuse(
    'SystemIdentityDenied',
    `"${claimed}" is an identity of Kubernetes itself; the authority must say allowSystemIdentities to issue it`,
  );
}

/** Kubernetes names its own users and groups so, and kubeadm its administrators (kubeadm:cluster-admins). */
const SYSTEM_PREFIXES = ['system:', 'kubeadm:'];

/** Whether a cluster, or a person who reads the name, may take it for one of the cluster's own users or groups. */
export function isSystemName(name: string): boolean {
  const visible = name.normalize('NFKC').replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, '');
  // Some letters have capitals that are another letter's.
  const text = visible.trimStart().toUpperCase().toLowerCase();
  return SYSTEM_PREFIXES.some((prefix) => text.startsWith(prefix));
}

export function exceedsLimits({ resource, authority }: AuthorityAnd): Refusal | undefined {
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

/** What the proof of the answer would refuse too, but after a certificate was signed. */
export function forbiddenByCA({ resource, authority }: AuthorityAnd): Refusal | undefined {
  if (!isAuthority(authority) || authority.constraints === undefined) return undefined;
  const { subject, names, usages } = resource.spec.identity;
  const leaf = {
    subject,
    subjectDer: encodeName(subject),
    names,
    usages,
    policies: policiesToCopy(authority.constraints),
  };
  const forbidden = constraintsProblem(authority.constraints, leaf);
  return (
    forbidden &&
    refuse(
      'ForbiddenByCA',
      `spec.${forbidden.problem}; ask for what the CA permits, or use an authority whose CA permits it`,
    )
  );
}

export function unsupportedByAuthority({ resource, authority }: AuthorityAnd): Refusal | undefined {
  if (!isAuthority(authority)) return undefined;
  const { identity, keyAlgorithms, usages, shortestLifeMs = 0 } = authority.capabilities;
  const { key, durationMs } = resource.spec;
  if (durationMs < shortestLifeMs)
    return unsupported(
      authority,
      `spec.duration ${formatDuration(durationMs)}, but at least ${formatDuration(shortestLifeMs)}`,
    );
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

export function refuse(code: Refusal['code'], message: string): Refusal {
  return { do: 'refuse', code, message };
}

function unsupported(authority: AuthorityView, field: string): Refusal {
  return refuse('UnsupportedByAuthority', `an authority of type ${authority.type} can't issue ${field}`);
}

export function wait(code: Refusal['code'], message: string): Refusal {
  return { do: 'wait', code, message, recheckAt: undefined };
}
