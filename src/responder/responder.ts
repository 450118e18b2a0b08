import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBounded } from '../bounded-body.ts';
import type { Clock } from '../clock.ts';
import { signsAlike } from '../pki/ca.ts';
import { MOST_REQUEST_BYTES } from '../pki/ocsp-request.ts';
import type { Address } from '../serving/flags.ts';
import { type Limits, type Page, type PageMaker, type Port, serve } from '../serving/server.ts';
import { conditionalPage } from './conditional.ts';
import type { KeyFolder } from './keys.ts';
import type { CrlLists } from './lists.ts';
import type { OcspAnswers, OcspReply } from './ocsp-answers.ts';

/** It may be open to the internet: an answer takes a millisecond, and the longest CRL some seconds on a slow line. */
const LIMITS: Limits = { connections: 512, requestMs: 5_000, idleMs: 5_000, responseMs: 60_000 };

/** What stands before it is the path of spec.revocation.url. */
const CRL = /^(?:\/[\w.~-]+){0,8}?\/crl\/([0-9a-zA-Z-]{1,64}\/v\d{1,9})\.crl$/;
const OCSP = /^(?:\/[\w.~-]+){0,8}?\/ocsp\/([0-9a-zA-Z-]{1,64}\/v\d{1,9})(?:\/+(.*))?$/;

interface Answering {
  readonly lists: Pick<CrlLists, 'find' | 'isSynced'>;
  readonly answers: OcspAnswers;
  readonly keys: KeyFolder;
  readonly clock: Pick<Clock, 'now'>;
}

/** Serves CRLs, and answers to OCSP requests by GET and POST (RFC 6960 appendix A). Throws StartError. */
export function serveResponder(address: Address, answering: Answering): Promise<Port> {
  const { lists } = answering;
  const healthy: PageMaker = () => text('ok', 200);
  // Until then it would answer that there is no CRL.
  const ready: PageMaker = () => (lists.isSynced ? text('ok', 200) : text('the CRLs are being read', 503));
  const gets = (path: string): PageMaker | undefined => {
    if (path === '/healthz') return healthy;
    if (path === '/readyz') return ready;
    const [, crl] = CRL.exec(path) ?? [];
    if (crl !== undefined) return (request) => crlPage(crl, request, answering);
    const [, ocsp, encoded] = OCSP.exec(path) ?? [];
    if (ocsp === undefined || encoded === undefined || encoded === '') return undefined;
    return async (request) => ocspPage(request, await answering.answers.answer(ocsp, decoded(encoded)), answering);
  };
  const posts = (path: string): PageMaker | undefined => {
    const [, ocsp, encoded = ''] = OCSP.exec(path) ?? [];
    if (ocsp === undefined || encoded !== '') return undefined;
    return (request, response) => posted(ocsp, request, response, answering);
  };
  return serve('the revocation responder', address, gets, { limits: LIMITS, posts });
}

function crlPage(place: string, request: IncomingMessage, { lists, keys, clock }: Answering): Page {
  const found = lists.find(place);
  const key = keys.find(place);
  // The Secret with the keys says which CA it is; a ConfigMap may have been written by others.
  if (found === undefined || (key !== undefined && !signsAlike(key.ca, found.ca)))
    return text('there is no such CRL', 404);
  const { crl, digest } = found;
  const cached = { from: crl.thisUpdate, until: crl.nextUpdate, etag: digest };
  return conditionalPage(request, { type: 'application/pkix-crl', body: crl.der }, cached, clock.now());
}

async function posted(
  place: string,
  request: IncomingMessage,
  response: ServerResponse,
  answering: Answering,
): Promise<Page> {
  const isTooLong = Number(request.headers['content-length'] ?? 0) > MOST_REQUEST_BYTES;
  const body = isTooLong ? undefined : await readBounded(request, MOST_REQUEST_BYTES);
  // What is left of the body isn't read.
  if (body === undefined) {
    response.once('finish', () => request.destroy());
    return text('the request is too long', 413);
  }
  return ocspPage(request, await answering.answers.answer(place, body), answering);
}

function ocspPage(request: IncomingMessage, { der, cached }: OcspReply, { clock }: Answering): Page {
  const page = { type: 'application/ocsp-response', body: der };
  if (cached === undefined) return { ...page, headers: { 'cache-control': 'no-store' } };
  return conditionalPage(request, page, cached, clock.now());
}

/** RFC 6960 appendix A.1: base64, with what a URL can't hold as %2B, %2F and %3D. Some clients leave that out. */
function decoded(encoded: string): Buffer {
  try {
    return Buffer.from(decodeURIComponent(encoded), 'base64');
  } catch {
    return Buffer.alloc(0);
  }
}

function text(line: string, status: number): Page {
  return { type: 'text/plain', body: `${line}\n`, status, headers: { 'cache-control': 'no-store' } };
}
