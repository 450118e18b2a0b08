import type { Page, PageMaker } from '../server.ts';
import { prefersGzip } from './accept-encoding.ts';
import type { Rendering } from './rendering.ts';

/** Each may hold a rendering of its own until it has been read: 10 MB at 20,000 certificates. */
export const MOST_ANSWERS = 4;

/** `/metrics`, compressed for those who ask for that. */
export function metricsPage(type: string, get: () => Promise<Rendering>): PageMaker {
  return async ({ headers }) => {
    const rendering = await get();
    const vary = { vary: 'accept-encoding' };
    if (!prefersGzip(headers['accept-encoding']?.toString())) return { type, body: rendering.plain, headers: vary };
    return { type, body: await rendering.gzip(), headers: { ...vary, 'content-encoding': 'gzip' } };
  };
}

/** Serves the page to so many at once, each until it has its answer or is gone, and turns others away. */
export function atMost(most: number, page: PageMaker): PageMaker {
  let count = 0;
  return (request, response) => {
    if (count === most) return unavailable(`${most} others are being answered; ask again in a second`);
    // It has gone while it was waiting, and would never be counted down.
    if (request.socket.destroyed) return unavailable('the connection is closed');
    count += 1;
    response.once('close', () => {
      count -= 1;
    });
    return page(request, response);
  };
}

/** 503, to be tried again in a second. */
export function unavailable(sentence: string): Page {
  return { ...plain(503, sentence), headers: { 'retry-after': '1' } };
}

export function plain(status: number, sentence: string): Page {
  return { type: 'text/plain; charset=utf-8', body: `${sentence}\n`, status };
}
