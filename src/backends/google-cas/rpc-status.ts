import { withoutSecrets } from '../../foreign-text.ts';
import type { JsonAnswer } from '../http/json.ts';
import { membersOf } from '../http/json-members.ts';

/** What an API of Google answers in place of a result: google.rpc.Status. */
export interface RpcStatus {
  /** Of google.rpc.Code, such as NOT_FOUND; empty where the answer is none of Google's. */
  readonly code: string;
  /** Fit to be shown. */
  readonly message: string;
  /** Of google.rpc.ErrorInfo, such as SERVICE_DISABLED. */
  readonly reason: string;
  /** Of google.rpc.RetryInfo. */
  readonly retryDelayMs: number | undefined;
}

const CODE = /^[A-Z_]{2,40}$/;
const MOST_DETAILS = 20;

/** Reads an answer that is no success. */
export function rpcStatusOf({ body }: Pick<JsonAnswer, 'body'>, secrets: readonly string[]): RpcStatus {
  const { status, message, details } = membersOf(membersOf(body).error);
  const detail = (type: string) =>
    membersOf(
      (Array.isArray(details) ? details : [])
        .slice(0, MOST_DETAILS)
        .find((each) => membersOf(each)['@type'] === `type.googleapis.com/google.rpc.${type}`),
    );
  const { reason } = detail('ErrorInfo');
  const { retryDelay } = detail('RetryInfo');
  return {
    code: matching(status, CODE),
    message: typeof message === 'string' ? withoutSecrets(shortNames(message), secrets) : '',
    reason: matching(reason, CODE),
    retryDelayMs: parseSeconds(retryDelay),
  };
}

/** Milliseconds of a google.protobuf.Duration in JSON, such as `3600s` or `1.5s`; undefined for what is none. */
export function parseSeconds(duration: unknown): number | undefined {
  if (typeof duration !== 'string') return undefined;
  const [, seconds] = /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(duration) ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}

/** Names of resources are long enough to be taken for part of a token; their first half is that of the spec. */
function shortNames(message: string): string {
  return message.replaceAll(/projects\/[^/\s']{1,64}\/locations\/[^/\s']{1,64}\//g, '');
}

function matching(value: unknown, pattern: RegExp): string {
  return typeof value === 'string' && pattern.test(value) ? value : '';
}
