import { formatDuration } from '../../api/duration.ts';
import { AuthorityError } from '../../errors.ts';
import type { IssueRequest } from '../backend.ts';
import { membersOf } from '../http/json-members.ts';
import { parseSeconds } from './rpc-status.ts';

/** What a CA pool, and the template if there is one, say of the certificates to come. */
export interface PoolPolicy {
  /** Certificates of the tier DevOps aren't kept: they can be neither read, listed nor revoked. */
  readonly isDevOps: boolean;
  readonly maxLifetimeMs: number | undefined;
  /** Whether subject and SANs of a request become those of the certificate. */
  readonly carriesSubject: boolean;
  readonly carriesNames: boolean;
  /** Whether a CEL expression judges the names of each request. */
  readonly judgesNames: boolean;
}

/** Reads a CaPool, and a CertificateTemplate, as JSON of the API. Throws an AuthorityError where neither can sign a CSR. */
export function readPolicy(name: string, pool: unknown, template: unknown): PoolPolicy {
  const { tier, issuancePolicy } = membersOf(pool);
  const { allowedIssuanceModes, maximumLifetime, identityConstraints: ofPool } = membersOf(issuancePolicy);
  const { maximumLifetime: templateLifetime, identityConstraints: ofTemplate } = membersOf(template);
  const modes = allowedIssuanceModes === undefined ? undefined : membersOf(allowedIssuanceModes);
  if (modes !== undefined && modes.allowCsrBasedIssuance !== true)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `${name}: issuancePolicy.allowedIssuanceModes doesn't allow CSRs, which Certwheel sends; set allowCsrBasedIssuance: true by gcloud privateca pools update --issuance-policy`,
    );
  const constraints = [ofPool, ofTemplate].filter((each) => each !== undefined).map(membersOf);
  // JSON of protobuf leaves out what is false.
  const carries = (field: string) => constraints.every((each) => each[field] === true);
  const carriesSubject = carries('allowSubjectPassthrough');
  const carriesNames = carries('allowSubjectAltNamesPassthrough');
  if (!carriesSubject && !carriesNames)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `${name}: the identityConstraints of the pool or of the template drop both the subject and the SANs of each request; set allowSubjectPassthrough or allowSubjectAltNamesPassthrough`,
    );
  const lives = [maximumLifetime, templateLifetime].map(parseSeconds).filter((each) => each !== undefined);
  return {
    isDevOps: tier === 'DEVOPS',
    maxLifetimeMs: lives.length === 0 ? undefined : Math.min(...lives),
    carriesSubject,
    carriesNames,
    judgesNames: constraints.some(({ celExpression }) => celExpression !== undefined),
  };
}

/** Why this request can't be carried, as a sentence; undefined where it can. */
export function uncarried(name: string, policy: PoolPolicy, { identity }: Pick<IssueRequest, 'identity'>) {
  const { subject, names } = identity;
  const drops = (what: string, fields: string, setting: string) =>
    `${name} drops ${what} of requests, so ${fields} can't be issued; remove them, or set identityConstraints.${setting}: true`;
  const hasSubject = Object.values(subject).some((value) => value !== undefined && value.length > 0);
  const hasNames = Object.values(names).some((list) => list.length > 0);
  if (!policy.carriesSubject && hasSubject)
    return drops('the subject', 'spec.commonName and spec.subject', 'allowSubjectPassthrough');
  if (!policy.carriesNames && hasNames)
    return drops('the SANs', 'names such as spec.dnsNames and spec.uris', 'allowSubjectAltNamesPassthrough');
  return undefined;
}

/** What a good check has shown, for the condition of the authority. */
export function describePolicy(policy: PoolPolicy): string {
  const { isDevOps, maxLifetimeMs, carriesSubject, carriesNames, judgesNames } = policy;
  return [
    'the pool would sign a request',
    isDevOps ? 'its tier DevOps keeps no certificates, so none can be revoked' : 'tier Enterprise',
    ...(maxLifetimeMs === undefined ? [] : [`lives are cut to ${formatDuration(maxLifetimeMs)}`]),
    ...(carriesSubject ? [] : ['common names and subjects are refused (allowSubjectPassthrough is false)']),
    ...(carriesNames ? [] : ['SANs are refused (allowSubjectAltNamesPassthrough is false)']),
    ...(judgesNames ? ['a CEL expression of identityConstraints judges the names of each request'] : []),
  ].join('; ');
}
