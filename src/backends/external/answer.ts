import type { ExternalBackend } from '../../api/generated/types.ts';
import { parseMeta, type RawObject } from '../../api/parse.ts';
import { type CertwheelError, DeniedError, RetryableError } from '../../errors.ts';
import { cut, oneLine } from '../../foreign-text.ts';
import type { Issued, IssueRequest, Pending } from '../backend.ts';
import { pollAfterMs } from '../kubernetes/polling.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import { CERTIFICATE_KEY, DENIED_KEY, digestOf, isBinaryAt, REQUEST_KEY, textAt, unreadKeys } from './csr-manifest.ts';
import { BINARY_ANSWER, handInAgain, waitingText } from './texts.ts';

const LONGEST_DENIAL = 400;

/**
 * What a person has put into the ConfigMap of a request: nothing yet, a denial, or the chain. Throws a RetryableError
 * InvalidAnswer for a chain that can't be one for this request; another answer may follow, so the request goes on.
 */
export function answerOf(
  found: RawObject,
  request: IssueRequest,
  { instructions }: ExternalBackend,
  now: Date,
): Issued | Pending {
  const { namespace, name } = parseMeta(found);
  const place = { namespace, name };
  const what = `ConfigMap ${namespace}/${name}`;
  const digest = digestOf(textAt(found, REQUEST_KEY));
  const denied = oneLine(textAt(found, DENIED_KEY));
  if (denied !== '')
    throw new DeniedError(
      'RequestDenied',
      `${what} was denied: ${cut(denied, LONGEST_DENIAL)}; it is asked for again when the spec changes, or with: ${askAgainCommand(request)}`,
    );

  const pem = textAt(found, CERTIFICATE_KEY);
  const retryAfterMs = pollAfterMs(found, now);
  const refused = (problem: string, cause?: CertwheelError) =>
    new RetryableError('InvalidAnswer', `${what}, key ${CERTIFICATE_KEY}: ${problem}; ${handInAgain(found)}`, {
      retryAfterMs,
      cause,
    });
  if (isBinaryAt(found, CERTIFICATE_KEY)) throw refused(BINARY_ANSWER);
  if (pem.trim() === '') {
    const unread = unreadKeys(found);
    const message = waitingText({ ...place, digest, instructions, unread, ends: request.replacedEnds }, now);
    return { ticket: request.id, pollAfterMs: retryAfterMs, message, answeredIn: name };
  }
  const chain = readCertificates([pem], (why) => refused(`the certificates can't be read: ${why}`));
  const leaf = chain.find(({ publicKeyDer }) => publicKeyDer.equals(request.publicKey));
  if (leaf === undefined) throw refused(otherKey(digest));
  return {
    chain: [leaf, ...chain.filter((each) => each !== leaf)],
    refused: (error) => refused(error.message, error),
  };
}

function askAgainCommand({ requester: { namespace, name } }: IssueRequest): string {
  return `kubectl annotate ccert -n ${namespace} ${name} --overwrite certwheel.io/renew-at=$(date -u +%Y-%m-%dT%H:%M:%SZ)`;
}

function otherKey(digest: string): string {
  return `the certificate is for another public key than that of ${REQUEST_KEY}, so it answers a former request or another one; have the present ${REQUEST_KEY} signed (SHA-256 ${digest})`;
}
