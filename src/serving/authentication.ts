import { ApiError } from '../errors.ts';
import { withoutSecrets } from '../foreign-text.ts';
import type { Logger } from '../log.ts';
import { plain, unavailable } from './metrics-page.ts';
import type { PageMaker } from './server.ts';
import type { TokenReviews } from './token-reviews.ts';

/** `Authorization: Bearer <token>`, as RFC 6750, section 2.1, has it. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i;

/** Serves the page for tokens that the API server allows, and for none while it can't be reached. */
export function authenticated(reviews: Pick<TokenReviews, 'of'>, log: Logger, page: PageMaker): PageMaker {
  let problem = '';
  return async (request, response) => {
    const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined)
      return unauthenticated('this needs the token of a ServiceAccount; send it as Authorization: Bearer <token>');
    try {
      const verdict = await reviews.of(token);
      problem = '';
      switch (verdict) {
        case 'allowed':
          return await page(request, response);
        case 'forbidden':
          return plain(
            403,
            'the user of this token may not get the non-resource URL /metrics; bind it to a ClusterRole that allows that',
          );
        case 'unauthenticated':
          return unauthenticated('the API server refuses this token: it has expired, or is of another cluster');
        case 'throttled':
          return unavailable('too many tokens are being reviewed; try again in a second');
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const message = withoutSecrets(error.message, [token]);
      if (message !== problem) log.error('the token of a scrape could not be reviewed', { error: message });
      problem = message;
      return unavailable('the API server could not review this token; the log of the controller says why');
    }
  };
}

function unauthenticated(sentence: string) {
  return { ...plain(401, sentence), headers: { 'www-authenticate': 'Bearer' } };
}
