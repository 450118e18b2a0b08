/** An error of a Google API, as google.rpc.Status in JSON. */
export class RpcError extends Error {
  readonly http: number;
  readonly body: object;

  constructor(http: number, status: string, message: string, details: readonly object[] = []) {
    super(message);
    this.http = http;
    this.body = { error: { code: http, message, status, ...(details.length > 0 ? { details } : {}) } };
  }
}

export const notFound = (name: string) => new RpcError(404, 'NOT_FOUND', `Resource '${name}' was not found`);

export const denied = (permission: string, name: string) =>
  new RpcError(
    403,
    'PERMISSION_DENIED',
    `Permission '${permission}' denied on resource '//privateca.googleapis.com/${name}' (or it may not exist).`,
    [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'IAM_PERMISSION_DENIED',
        domain: 'iam.googleapis.com',
      },
    ],
  );

export const unauthenticated = () =>
  new RpcError(
    401,
    'UNAUTHENTICATED',
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'ACCESS_TOKEN_TYPE_UNSUPPORTED' }],
  );

export const exhausted = (seconds: number) =>
  new RpcError(429, 'RESOURCE_EXHAUSTED', "Quota exceeded for quota metric 'Certificate create requests'", [
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` },
  ]);

export const failedPrecondition = (message: string) => new RpcError(400, 'FAILED_PRECONDITION', message);
export const invalidArgument = (message: string) => new RpcError(400, 'INVALID_ARGUMENT', message);
