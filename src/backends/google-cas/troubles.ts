import type { GoogleCASBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { refusalError } from '../http/errors.ts';
import type { Reply } from './client.ts';
import { poolName } from './request.ts';

type Spec = Pick<GoogleCASBackend, 'project' | 'location' | 'caPool' | 'certificateTemplate' | 'certificateAuthority'>;

/** What is said of an answer beside itself. */
export interface Context {
  readonly server: string;
  /** What was tried, in words. */
  readonly what: string;
  /** See Login. */
  readonly member: string;
  readonly remedy: string;
}

/** Clocks further apart than Google tolerates are the reason why a token that we signed is refused. */
const CLOCKS_APART_MS = 60_000;
/** A permission of IAM in a message of Google's. */
const PERMISSION = /Permission '(privateca\.[A-Za-z.]{1,60})'/;

/** What it means that Google refused, where it isn't about one certificate. */
export function troubleOf(reply: Reply, spec: Spec, { server, what, member, remedy }: Context): AuthorityError {
  const { status, message, retryAfterMs, rpc } = reply;
  const said = `${what} was answered ${rpc.code || status}${message === '' ? '' : `: ${message}`}`;
  switch (rpc.code) {
    case 'UNAUTHENTICATED':
      return new AuthorityError('CredentialsRefused', `${said}; ${clockHint(reply) ?? remedy}`);
    case 'PERMISSION_DENIED':
      return denied(reply, said, spec, member);
    case 'NOT_FOUND':
      return new AuthorityError('AuthorityMisconfigured', `${said}; ${missingHint(message, spec)}`);
    case 'INVALID_ARGUMENT':
      return new AuthorityError(
        'AuthorityMisconfigured',
        `${said}; check spec.googleCAS: project ${spec.project}, location ${spec.location}, caPool ${spec.caPool}`,
      );
    case 'FAILED_PRECONDITION':
      return new AuthorityError('AuthorityMisconfigured', `${said}; ${casOf(spec)}, and enable one of them`);
    case 'RESOURCE_EXHAUSTED':
      return new AuthorityError(
        'AuthorityBusy',
        `${said}; set spec.rateLimit below the quota of project ${spec.project}`,
        {
          retryAfterMs,
        },
      );
    case 'ABORTED':
    case 'CANCELLED':
      return new AuthorityError('AuthorityUnavailable', said, { retryAfterMs });
  }
  return refusalError(reply, server, what) ?? new AuthorityError('AuthorityMisconfigured', `${server}: ${said}`);
}

function denied({ rpc, message }: Reply, said: string, spec: Spec, member: string): AuthorityError {
  const { project } = spec;
  if (rpc.reason === 'SERVICE_DISABLED')
    return new AuthorityError(
      'AuthorityMisconfigured',
      `${said}; enable the API with: gcloud services enable privateca.googleapis.com --project=${project}`,
    );
  if (rpc.reason === 'BILLING_DISABLED')
    return new AuthorityError('AuthorityMisconfigured', `${said}; link a billing account to project ${project}`);
  const [, permission] = PERMISSION.exec(message) ?? [];
  return new AuthorityError(
    'CredentialsRefused',
    `${said}; compare project, location and pool of spec.googleCAS; if they are right, grant it with: ${grant(permission, spec, member)}`,
  );
}

/** The gcloud command that grants a permission. */
function grant(permission: string | undefined, spec: Spec, member: string): string {
  const { project, location, caPool, certificateTemplate = '' } = spec;
  if (permission?.startsWith('privateca.certificateTemplates.') === true) {
    const id = certificateTemplate.replace(/^.*\//, '');
    return `gcloud privateca templates add-iam-policy-binding ${id} --project=${project} --location=${location} --role=roles/privateca.templateUser --member=${member}`;
  }
  const role =
    permission === undefined || permission === 'privateca.certificates.create'
      ? 'roles/privateca.certificateRequester'
      : `projects/${project}/roles/certwheel`;
  return `gcloud privateca pools add-iam-policy-binding ${caPool} --project=${project} --location=${location} --role=${role} --member=${member}`;
}

function missingHint(message: string, spec: Spec): string {
  const { project, location, certificateTemplate, certificateAuthority } = spec;
  if (certificateTemplate !== undefined && message.includes('certificateTemplates/'))
    return `the template must exist: gcloud privateca templates list --project=${project} --location=${location}`;
  if (certificateAuthority !== undefined && message.includes('certificateAuthorities/')) return casOf(spec);
  if (!message.includes('caPools/'))
    return `the location must exist: gcloud privateca locations list --project=${project}`;
  return `the pool ${poolName(spec)} must exist: gcloud privateca pools list --project=${project} --location=${location}`;
}

function casOf({ project, location, caPool }: Spec): string {
  return `list the CAs of the pool with: gcloud privateca roots list --project=${project} --location=${location} --pool=${caPool} (and gcloud privateca subordinates list)`;
}

function clockHint({ clockAheadMs }: Pick<Reply, 'clockAheadMs'>): string | undefined {
  if (clockAheadMs === undefined || Math.abs(clockAheadMs) < CLOCKS_APART_MS) return undefined;
  const minutes = Math.round(Math.abs(clockAheadMs) / 60_000);
  const side = clockAheadMs > 0 ? 'ahead of' : 'behind';
  // In whole minutes: the message stands in a status, which is written anew with each change.
  return `the clock of the controller's node is about ${minutes} min ${side} Google's: correct it`;
}
