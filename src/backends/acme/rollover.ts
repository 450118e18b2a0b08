import { AuthorityError } from '../../errors.ts';
import type { KnownAccount } from './account.ts';
import type { Directory } from './directory.ts';
import { type AccountKey, signedRequest } from './jws.ts';
import { refusal } from './problem.ts';
import type { Session } from './session.ts';

/** Of servers that list keyChange in their directory all the same: Vault answers the first, step-ca the last. */
const NOT_IMPLEMENTED: readonly number[] = [404, 405, 501];

/** Replaces the key of the account at the server (RFC 8555 section 7.3.5). */
export async function exchangeKeys(
  session: Session,
  { keyChange }: Directory,
  account: KnownAccount,
  nextKey: AccountKey,
  signal: AbortSignal,
): Promise<void> {
  const { server } = session;
  if (keyChange === undefined) throw notImplemented(server);
  const inner = signedRequest(nextKey, { url: keyChange }, { account: account.url, oldKey: account.key.jwk });
  const answer = await session.send(account, keyChange, inner, signal);
  if (answer.status < 300) return;
  if (NOT_IMPLEMENTED.includes(answer.status)) throw notImplemented(server);
  // The next look finds out whether another replica did the same at this moment.
  const { message } = refusal(answer, server, 'the new key of the account');
  throw new AuthorityError('CredentialsRefused', message);
}

function notImplemented(server: string): AuthorityError {
  return new AuthorityError(
    'AuthorityMisconfigured',
    `${server} can't replace the key of an account (it has no keyChange); set spec.acme.accountKeyRollover as it was, and for another key delete the Secret of the account, as docs/authorities/acme.md says`,
  );
}
