import type { IncomingMessage } from 'node:http';
import { toSeconds } from '../api/moments.ts';
import type { Page } from '../serving/server.ts';

/** What caches may keep: since when it is as it is, until when it counts, and its hash. */
export interface Cached {
  readonly from: Date;
  readonly until: Date;
  readonly etag: string;
}

/**
 * The page with what caches need to know (RFC 5019 section 6), or 304 without a body where the client has it already
 * (RFC 9110 section 13).
 */
export function conditionalPage(
  { headers }: Pick<IncomingMessage, 'headers'>,
  { type, body }: { readonly type: string; readonly body: Buffer },
  { from, until, etag }: Cached,
  now: Date,
): Page {
  const maxAge = Math.max(0, Math.floor((until.getTime() - now.getTime()) / 1_000));
  const common = {
    etag: `"${etag}"`,
    'last-modified': from.toUTCString(),
    expires: until.toUTCString(),
    'cache-control': `max-age=${maxAge}, public, no-transform, must-revalidate`,
  };
  if (!isKnown(headers, etag, from)) return { type, body, headers: common };
  return { type, body: Buffer.alloc(0), status: 304, headers: { ...common, 'content-length': body.length } };
}

/** If-Modified-Since counts only without If-None-Match (RFC 9110 section 13.1.3). */
function isKnown(headers: IncomingMessage['headers'], etag: string, from: Date): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since } = headers;
  if (tags !== undefined)
    return tags.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === `"${etag}"`);
  const moment = since === undefined ? Number.NaN : Date.parse(since);
  return moment >= toSeconds(from) * 1_000;
}
