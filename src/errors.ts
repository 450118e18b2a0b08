import { messageOf } from './thrown.ts';

/**
 * Every way in which Certwheel can fail, as a closed union. A code is at once the reason of a condition, a metric
 * label, a log field and an anchor in the docs, so a code is never renamed.
 */
export const ERROR_CODES = [
  // the Kubernetes API
  'Conflict',
  'Forbidden',
  'TooManyRequests',
  'ApiServerUnavailable',
  'SecretRefused',
  'ObjectRefused',
  // other writers of the Secret, and of the spec
  'SecretAltered',
  'SecretContested',
  'TooManyChanges',
  // references
  'AuthorityNotFound',
  'AuthorityNotReady',
  'ClusterAuthorityNotServed',
  'NamespaceNotAllowed',
  // the authority and its credentials
  'CASecretNotFound',
  'CAPairRefused',
  'CAExpired',
  'CAUnsigned',
  'InvalidAnswer',
  'AuthorityMisconfigured',
  'AuthorityUnreachable',
  'AuthorityNotTrusted',
  'AuthorityUnavailable',
  'AuthorityBusy',
  'CredentialsNotFound',
  'CredentialsRefused',
  'TrustBundleNotFound',
  'TrustBundleRefused',
  'IssuerNotReady',
  'BackendForbidden',
  'BackendDisabled',
  'RequestFailed',
  'ChallengeFailed',
  'RequestDenied',
  // what was asked for
  'InvalidSpec',
  'UnsupportedByAuthority',
  'DeniedByPolicy',
  'ApprovalPending',
  'CertificateWithheld',
  'ApprovalDenied',
  'TooManyCertificates',
  'SystemIdentityDenied',
  'TemplateKeyDenied',
  'ForbiddenByCA',
  'LimitExceeded',
  'NamespaceFull',
  'KeystorePasswordUnusable',
  'CSRUnusable',
  'NewCSRNeeded',
  'SecretTooLarge',
  'SecretConflict',
  'SecretNotOwned',
  'ConfigMapNotOwned',
  // the objects of spec.trust.targets
  'TrustTargetPending',
  'TrustTargetForbidden',
  'TrustTargetNotServed',
  'TrustTargetNoNamespace',
  'TrustTargetNotOwned',
  'TrustTargetRefused',
  'TrustTargetContested',
  'TrustTargetNotDelivered',
  'TrustBundleTooLarge',
  // the sources of spec.trust.sources
  'TrustEndpointUnreachable',
  // a bug in Certwheel
  'Unexpected',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

interface ErrorDetails {
  /** Plural of the resource that a request was about. */
  resource?: string | undefined;
  /** How long the other side asked us to stay away, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** It describes a server that has not shown to be the expected one, so tenants must not read it. */
  unproven?: boolean;
  cause?: unknown;
}

/** The common shape; thrown only as one of its subclasses, each of which says what happens next. */
export abstract class CertwheelError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  /** See ErrorDetails. */
  readonly unproven: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
    this.unproven = details.unproven ?? false;
  }
}

/** May pass by itself: 429, 5xx, a timeout, a lost race. Retried with backoff; `retryAfterMs` wins. */
export class RetryableError extends CertwheelError {}

/**
 * The authority itself or its credentials are at fault, so every certificate behind it would fail alike. The authority
 * is marked not ready and asked again by one probe; its certificates are woken when it is back.
 */
export class AuthorityError extends CertwheelError {}

/** A policy said no. That is an answer and not a failure: asked again only when the spec or the authority changes. */
export class DeniedError extends CertwheelError {}

/** What was asked for can't be done. Nothing is tried until the spec changes. */
export class TerminalError extends CertwheelError {}

/** Anything unforeseen: a bug of ours. Logged with its stack, counted, retried. */
export class UnexpectedError extends CertwheelError {}

/** The reason of an ApiError that never became a request, since our own credentials could not be read. */
export const NO_CREDENTIALS = 'NoCredentials';

/**
 * What the API server answered in place of success; `status` 0 means that no answer arrived at all, so a write may or
 * may not have happened.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;
  /** Plural of the resource that the request was about, where one was. */
  readonly resource: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'ApiError';
    this.status = status;
    this.reason = reason;
    this.resource = details.resource;
    this.retryAfterMs = details.retryAfterMs;
  }
}

const OF_FALLBACK = 'fallback ';

/** The same where a fallback was asked, which the message says. */
export function namingFallback(error: CertwheelError, fallback: string | undefined): CertwheelError {
  if (fallback === undefined) return error;
  const { code, message, retryAfterMs, unproven, cause } = error;
  const details = { retryAfterMs, unproven, cause };
  const text = `${OF_FALLBACK}${fallback}: ${message}`;
  if (error instanceof DeniedError) return new DeniedError(code, text, details);
  if (error instanceof TerminalError) return new TerminalError(code, text, details);
  if (error instanceof UnexpectedError) return new UnexpectedError(code, text, details);
  if (error instanceof AuthorityError) return new AuthorityError(code, text, details);
  return new RetryableError(code, text, details);
}

/** Whether a message, as a status keeps it, is one of `namingFallback`. */
export function namesFallback(message: string): boolean {
  return message.startsWith(OF_FALLBACK);
}

/** Turns whatever was thrown into one of the classes above. Never throws. */
export function classify(error: unknown): CertwheelError {
  if (error instanceof CertwheelError) return error;
  if (error instanceof ApiError)
    return new RetryableError(apiErrorCode(error), error.message, { retryAfterMs: error.retryAfterMs, cause: error });
  return new UnexpectedError('Unexpected', messageOf(error), { cause: error });
}

/** The words of the RBAC authorizer; an exceeded quota and a refusing admission plugin answer 403 too. */
const LACKS_A_ROLE = /: User "[^"]*" cannot /;

/** Whether a role would help where the API server refuses; a quota, or a policy of admission, is raised or changed instead. */
export function lacksRole(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403 && LACKS_A_ROLE.test(error.message);
}
/**
 * The API server answers 500 for an admission webhook that doesn't answer, and for an object that etcd has no room for: keys
 * and managed fields don't count for the bound of 1 MiB that is answered with 422. The server itself is well, and status can
 * be written.
 */
const OBJECT_FAILED = /failed calling webhook|^etcdserver: request is too large|trying to send message larger than max/;

function apiErrorCode(error: ApiError): ErrorCode {
  const { status, message, resource } = error;
  const refused = resource === undefined || resource === 'secrets' ? 'SecretRefused' : 'ObjectRefused';
  switch (status) {
    case 403:
      return lacksRole(error) ? 'Forbidden' : refused;
    // The object, or its namespace, was deleted a moment ago.
    case 404:
    case 409:
      return 'Conflict';
    case 429:
      return 'TooManyRequests';
    case 400:
    case 413:
    case 422:
      return refused;
    default:
      return OBJECT_FAILED.test(message) ? refused : 'ApiServerUnavailable';
  }
}
