import type { RevocationReason } from '../../api/revocation.ts';
import { AuthorityError, DeniedError } from '../../errors.ts';
import type { Revocation } from '../backend.ts';
import { REASON_CODES } from '../shared/reason-codes.ts';
import type { KnownAccount } from './account.ts';
import { downloadChain } from './chain.ts';
import { problemIn, refusal } from './problem.ts';
import type { Session } from './session.ts';

/** Asks for a revocation by the account that ordered the certificate (RFC 8555 section 7.6). Once more is no error. */
export async function revokeAt(
  session: Session,
  account: KnownAccount,
  { serialNumber, leaf, externalId }: Revocation,
  reason: RevocationReason,
  signal: AbortSignal,
): Promise<void> {
  const { server } = session;
  const { revokeCert } = await session.directory(signal);
  if (revokeCert === undefined)
    throw new AuthorityError('AuthorityMisconfigured', `${server} revokes nothing: its directory has no revokeCert`);
  const der = leaf ?? (await downloaded(session, account, { serialNumber, externalId }, signal));
  if (der === undefined)
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `the certificate ${serialNumber} is not at hand any more, and an ACME server revokes none by its serial number alone; revoke it on the CA`,
    );
  const certificate = der.toString('base64url');
  const ask = (payload: object) => session.send(account, revokeCert, payload, signal);
  const code = REASON_CODES[reason];
  let answer = await ask(code === 0 ? { certificate } : { certificate, reason: code });
  // Not every server knows every reason, and some take none.
  if (answer.status >= 400 && code !== 0 && isAboutReason(problemIn(answer))) answer = await ask({ certificate });
  if (answer.status < 300 || problemIn(answer).type === 'alreadyRevoked') return;
  throw refusal(answer, server, 'the revocation');
}

function isAboutReason({ type, text }: { readonly type: string; readonly text: string }): boolean {
  return type === 'badRevocationReason' || /reason/i.test(text);
}

/** A URL that was kept in a Secret may have been forged to have another certificate revoked. */
async function downloaded(
  session: Session,
  account: KnownAccount,
  { serialNumber, externalId }: Pick<Revocation, 'serialNumber' | 'externalId'>,
  signal: AbortSignal,
) {
  if (externalId === undefined) return undefined;
  const url = session.own(externalId, 'the URL of the certificate');
  const [found] = await downloadChain(session, account, url, [], signal);
  if (found?.serialNumber !== serialNumber)
    throw new DeniedError('RequestDenied', `${session.server} has another certificate than ${serialNumber} at ${url}`);
  return found.der;
}
