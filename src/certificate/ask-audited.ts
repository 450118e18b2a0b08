import type { Audit } from '../audit/event.ts';
import { type IssueRequest, isPending } from '../backends/backend.ts';
import { publicKeyPin } from '../pki/keys.ts';
import { approvedEvent, namesOf, requestedEvent, signedEvent, signingOf } from './audited.ts';
import type { Observed } from './observed.ts';
import type { Ask } from './request/deps.ts';

/**
 * Asks the authority, and writes down what it signs: where Certwheel holds the key, before the signature exists, and otherwise
 * as soon as the answer is there, before it is proven. A remote authority may have signed although the answer is lost, so the
 * request is written down before it is sent.
 */
export async function askAudited(
  acting: Observed,
  request: IssueRequest,
  ask: Ask,
  audit: Audit | undefined,
  isRemote: boolean,
): ReturnType<Ask> {
  if (audit === undefined) return ask(request);
  const { rule, requestedBy = 'unverified' } = request;
  const approved = approvedEvent(acting, requestedBy);
  if (approved !== undefined) audit.write(approved);
  const keyPin = publicKeyPin(request.publicKey);
  const asked = { names: namesOf(request.identity), keyPin, rule, requestedBy };
  // With a ticket it asks for the answer to a request that is in the log already.
  if (isRemote && request.ticket === undefined) audit.write(requestedEvent(acting, asked));
  let isWritten = false;
  const answer = await ask({
    ...request,
    signing: (signing) => {
      isWritten = true;
      audit.write(signedEvent(acting, signing, asked));
    },
  });
  const [leaf] = isPending(answer) ? [] : answer.chain;
  const signing = isPending(answer) || isWritten ? undefined : signingOf(answer.chain);
  if (leaf === undefined || signing === undefined || isPending(answer)) return answer;
  const facts = { names: namesOf(leaf), keyPin: leaf.publicKeyPin, rule, requestedBy, externalId: answer.externalId };
  audit.write(signedEvent(acting, signing, facts));
  return answer;
}
