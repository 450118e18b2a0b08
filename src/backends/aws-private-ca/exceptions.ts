import { AuthorityError, type CertwheelError, DeniedError, RetryableError } from '../../errors.ts';
import type { HttpAnswer } from '../http/exchange.ts';
import { membersOf } from '../http/json-members.ts';

/** What an AWS service answers in place of success. */
export interface AwsException {
  /** The name without its namespace, such as `ResourceNotFoundException`. */
  readonly name: string;
  readonly message: string;
}

/** The signature of AWS is good for that long before and after the server's time. */
const SKEW_LIMIT_MS = 5 * 60_000;
const CREDENTIALS = new Set([
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'OptInRequired',
  'InvalidAccessKeyId',
]);
/** As in "Credential should be scoped to a valid region". */
const OTHER_REGION = /^Credential should be scoped to .{0,60}(region|acm-pca|sts)/;
/** Who asked, and for which resource, as in "User: arn:… is not authorized to perform: … on resource: arn:…". */
const WHO_AND_WHAT =
  /^User: arn:[a-z-]+:(?:iam|sts)::(\d{12}):.{1,2000}? on resource: arn:[a-z-]+:acm-pca:[a-z0-9-]+:(\d{12}):/;
const EXPIRED = new Set(['ExpiredTokenException', 'ExpiredToken', 'RequestExpired']);
const BUSY = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'ConcurrentModificationException',
]);
const UNAVAILABLE = new Set([
  'InternalFailure',
  'InternalServerException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
]);
/** What is about the one request, and no other. */
const OF_THE_REQUEST = new Set(['MalformedCSRException', 'InvalidArgsException', 'ValidationException']);

/** The exception in an answer of the JSON protocol, whose name may have a namespace in front and a URL behind it. */
export function exceptionIn({ headers, bytes }: Pick<HttpAnswer, 'headers' | 'bytes'>): AwsException | undefined {
  const { __type, message, Message } = membersOf(parsed(bytes));
  const type = typeof __type === 'string' ? __type : headers['x-amzn-errortype'];
  const name = /^(?:[\w.]{1,200}#)?(\w{1,100})(?::|$)/.exec(type ?? '')?.[1];
  if (name === undefined) return undefined;
  const said = [message, Message].find((each) => typeof each === 'string');
  return { name, message: typeof said === 'string' ? said : '' };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Whether the keys were refused as such: others, or a new login, may do. */
export function isAboutKeys({ name }: AwsException): boolean {
  return EXPIRED.has(name) || CREDENTIALS.has(name);
}

export interface Circumstances {
  /** What was tried, in words, such as `IssueCertificate for arn:…`. */
  readonly what: string;
  /** Whose keys they are, in words. */
  readonly keys: string;
  readonly now: Date;
}

/** What an exception means where it isn't about one certificate. `message` is fit to be shown. */
export function troubleOf(
  { name, message }: AwsException,
  { status, headers, retryAfterMs }: Pick<HttpAnswer, 'status' | 'headers' | 'retryAfterMs'>,
  { what, keys, now }: Circumstances,
): AuthorityError {
  const said = `${what} was answered ${name}${message === '' ? '' : `: ${message}`}`;
  const skewMs = now.getTime() - Date.parse(headers.date ?? '');
  if (CREDENTIALS.has(name) && Math.abs(skewMs) > SKEW_LIMIT_MS - 60_000)
    return new AuthorityError('CredentialsRefused', `${skewText(skewMs)}; synchronize the clock of its node: ${said}`);
  if (EXPIRED.has(name))
    return new AuthorityError('CredentialsRefused', `${keys} have expired; put new ones in their place: ${said}`);
  if (OTHER_REGION.test(message))
    return new AuthorityError(
      'AuthorityMisconfigured',
      `the endpoint is not that of the region in spec.awsPrivateCA.arn; correct the ARN, or spec.awsPrivateCA.endpoint and stsEndpoint: ${said}`,
    );
  if (CREDENTIALS.has(name))
    return new AuthorityError(
      'CredentialsRefused',
      `AWS doesn't take ${keys}; see whether the access key exists, is active, and belongs to its secret: ${said}`,
    );
  if (name.startsWith('AccessDenied'))
    return new AuthorityError('CredentialsRefused', `${keys} may not do this; ${missingRight(message)}: ${said}`);
  if (name === 'ResourceNotFoundException' || name === 'InvalidArnException')
    return new AuthorityError(
      'AuthorityMisconfigured',
      `there is no such CA in this account and region, or it isn't shared; list the CAs with: aws acm-pca list-certificate-authorities${ofRegion(message)}: ${said}`,
    );
  if (name === 'InvalidStateException')
    return new AuthorityError('AuthorityMisconfigured', `the CA can't do this now: ${said}`);
  if (name === 'LimitExceededException')
    return new AuthorityError(
      'AuthorityBusy',
      `a quota of AWS Private CA is used up; see: aws service-quotas list-service-quotas --service-code acm-pca: ${said}`,
    );
  if (BUSY.has(name) || status === 429) return new AuthorityError('AuthorityBusy', said, { retryAfterMs });
  if (UNAVAILABLE.has(name) || status >= 500) return new AuthorityError('AuthorityUnavailable', said, { retryAfterMs });
  return new AuthorityError('AuthorityMisconfigured', said);
}

/** What lacks the right, as the end of a sentence: the policy of the credentials, or the share of another account's CA. */
function missingRight(message: string): string {
  const [, theirs, ofCa] = WHO_AND_WHAT.exec(message) ?? [];
  if (theirs === undefined || theirs === ofCa) return 'see the policy of docs/authorities/aws-private-ca.md';
  return `they are of account ${theirs} and the CA is of account ${ofCa}, which must share it with the permission for the template (docs/authorities/aws-private-ca.md, A CA of another account); or correct the account in spec.awsPrivateCA.arn`;
}

function ofRegion(message: string): string {
  const [, region] = /arn:[a-z-]+:acm-pca:([a-z0-9-]{1,40}):/.exec(message) ?? [];
  return region === undefined ? '' : ` --region ${region}`;
}

/** The same of what was asked for one certificate: the authority stays good for others. */
export function refusalOf(exception: AwsException, answer: HttpAnswer, circumstances: Circumstances): CertwheelError {
  const { name, message } = exception;
  if (OF_THE_REQUEST.has(name))
    return new DeniedError('RequestDenied', `${circumstances.what} was refused: ${name}: ${message}`);
  if (name === 'RequestFailedException')
    return new RetryableError('RequestFailed', `${circumstances.what} failed: ${message || 'AWS says no reason'}`);
  return troubleOf(exception, answer, circumstances);
}

/** To the minute, so that a status isn't written anew with each second. */
function skewText(skewMs: number): string {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return `the clock of Certwheel is ${minutes} minutes ${skewMs > 0 ? 'ahead of' : 'behind'} that of AWS, which takes 5 at most`;
}
