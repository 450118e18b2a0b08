import { ApiError } from '../errors.ts';
import { withoutSecrets } from '../foreign-text.ts';
import type { Logger } from '../log.ts';
import type { PageMaker } from '../server.ts';
import { plain, unavailable } from './metrics-page.ts';
import type { TokenReviews } from './token-reviews.ts';

/** `Authorization: Bearer <token>`, as RFC 6750, section 2.1, has it. */
const BEARER = /^Bearer +([\w.~+/-]+=*)$/i;

/** The page for those whom the API server allows it. Where that can't be asked, nobody is let in. */
export function guarded(reviews: Pick<TokenReviews, 'of'>, log: Logger, page: PageMaker): PageMaker {
  let problem = '';
  return async (request, response) => {
    const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? [];
    if (token === undefined)
      return unauthenticated('send the token of a ServiceAccount: Authorization: Bearer <token>');
    try {
      const verdict = await reviews.of(token);
      problem = '';
      switch (verdict) {
        case 'allowed':
          return await page(request, response);
        case 'forbidden':
          return plain(403, 'its role has to allow get of the non-resource URL /metrics, which it does not');
        case 'unknown':
          return unauthenticated('the API server does not know this token, or it has expired');
        case 'asked-too-often':
          return unavailable('too many tokens are shown; ask again in a second');
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const message = withoutSecrets(error.message, [token]);
      if (message !== problem) log.error('tokens for metrics could not be reviewed', { error: message });
      problem = message;
      return unavailable('the API server could not be asked about this token; the log of the controller says why');
    }
  };
}

function unauthenticated(sentence: string) {
  return { ...plain(401, sentence), headers: { 'www-authenticate': 'Bearer' } };
}
