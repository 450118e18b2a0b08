import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

// Signature Version 4 as a server verifies it, written from AWS's documentation, without the library that signs.

export interface SignedRequest {
  readonly method: string;
  /** As it came, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface KnownKey {
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** Name and message of the exception that AWS answers; undefined for a good signature. */
export interface SignatureProblem {
  readonly name: string;
  readonly message: string;
}

const SKEW_MS = 5 * 60_000;
const CREDENTIAL =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

export function signatureProblem(
  request: SignedRequest,
  { region, service, now }: { readonly region: string; readonly service: string; readonly now: Date },
  keyOf: (accessKeyId: string) => KnownKey | undefined,
): SignatureProblem | undefined {
  const { headers } = request;
  const [, id = '', day = '', scopeRegion, scopeService, signed = '', signature = ''] =
    CREDENTIAL.exec(one(headers.authorization)) ?? [];
  if (id === '') return { name: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' };
  const key = keyOf(id);
  const unknown = {
    name: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  };
  if (key === undefined) return unknown;
  if ((key.sessionToken ?? '') !== one(headers['x-amz-security-token'])) return unknown;
  const scope = `${day}/${region}/${service}/aws4_request`;
  const bad = (message: string) => ({ name: 'InvalidSignatureException', message });
  if (scopeRegion !== region || scopeService !== service) return bad(`Credential should be scoped to ${scope}`);
  const names = signed.split(';');
  const needed = ['host', 'x-amz-date', ...(key.sessionToken === undefined ? [] : ['x-amz-security-token'])];
  if (headers['x-amz-target'] !== undefined) needed.push('x-amz-target');
  const missing = needed.find((name) => !names.includes(name));
  if (missing !== undefined) return bad(`the header ${missing} must be signed`);
  const date = one(headers['x-amz-date']);
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonicalRequest(request, names))].join('\n');
  const expected = [day, region, service, 'aws4_request', toSign].reduce(
    (secret: Buffer | string, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${key.secretAccessKey}`,
  );
  if (!date.startsWith(day) || !timingSafeEqual(expected as Buffer, Buffer.from(signature, 'hex')))
    return bad('The request signature we calculated does not match the signature you provided.');
  return skewProblem(date, now);
}

function skewProblem(date: string, now: Date): SignatureProblem | undefined {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const skewMs = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`) - now.getTime();
  if (Math.abs(skewMs) <= SKEW_MS) return undefined;
  const which = skewMs < 0 ? 'expired' : 'not yet current';
  const name = 'InvalidSignatureException';
  return { name, message: `Signature ${which}: ${date} is not within 5 min of ${now.toISOString()}` };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html, step 1. */
export function canonicalRequest({ method, path, headers, body }: SignedRequest, names: readonly string[]): string {
  const [bare = '/', query = ''] = path.split('?');
  const parameters = query === '' ? [] : query.split('&').map((each) => (each.includes('=') ? each : `${each}=`));
  const lines = names.map((name) => `${name}:${one(headers[name]).trim().replaceAll(/ +/g, ' ')}`);
  return [method, encodedPath(bare), parameters.sort().join('&'), ...lines, '', names.join(';'), sha256(body)].join(
    '\n',
  );
}

/** Encoded once more than it was sent: every service but S3 does. */
function encodedPath(path: string): string {
  return encodeURIComponent(path)
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

function one(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : (header ?? '');
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
