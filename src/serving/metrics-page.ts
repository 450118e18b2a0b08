import { prefersGzip } from './accept-encoding.ts';
import type { Rendering } from './rendering.ts';
import type { Page, PageMaker } from './server.ts';

/** Each may hold a rendering of its own until the client has read it: 10 MB at 20,000 certificates. */
export const MOST_RESPONSES = 4;

/** `/metrics`, compressed where the request accepts that. */
export function metricsPage(type: string, get: () => Promise<Rendering>): PageMaker {
  return async ({ headers }) => {
    const rendering = await get();
    const vary = { vary: 'accept-encoding' };
    if (!prefersGzip(headers['accept-encoding']?.toString())) return { type, body: rendering.plain, headers: vary };
    return { type, body: await rendering.gzip(), headers: { ...vary, 'content-encoding': 'gzip' } };
  };
}

/** Allows so many responses in flight, from here until the connection has taken the last byte or is closed; 503 beyond. */
export function atMost(most: number, page: PageMaker): PageMaker {
  let count = 0;
  return (request, response) => {
    if (count === most) return unavailable(`${most} scrapes are in progress already; try again in a second`);
    // Closed while its token was reviewed: no other event would free its place.
    if (request.socket.destroyed) return unavailable('the connection is closed');
    count += 1;
    response.once('close', () => {
      count -= 1;
    });
    return page(request, response);
  };
}

/** 503, with Retry-After of one second. */
export function unavailable(sentence: string): Page {
  return { ...plain(503, sentence), headers: { 'retry-after': '1' } };
}

export function plain(status: number, sentence: string): Page {
  return { type: 'text/plain; charset=utf-8', body: `${sentence}\n`, status };
}
