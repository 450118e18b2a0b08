import { parseDuration } from '../../../api/duration.ts';
import type { PropagationCheck } from '../../../api/generated/types.ts';
import type { Clock } from '../../../clock.ts';
import { RetryableError } from '../../../errors.ts';
import { messageOf } from '../../../thrown.ts';
import type { DnsClient } from './dns/client.ts';
import { type NameServer, parseNameServer, showNameServer } from './dns/exchange.ts';
import { RCODE, TYPE } from './dns/message.ts';
import { hasText, rcodeName } from './dns/zone.ts';

const POLL_MS = 1_000;
const DEFAULT_TIMEOUT_MS = 60_000;

export interface Awaited {
  readonly name: string;
  /** The data of the TXT record. */
  readonly data: Buffer;
}

/** A server that must answer the record. */
export interface Witness {
  readonly server: NameServer;
  /** Left out where it can't be reached, since the CA may reach it, or where it doesn't have the zone. */
  readonly isOptional: boolean;
  /** Whether it asks others. */
  readonly recurse: boolean;
}

/**
 * Resolves once all witnesses answer the record. Throws a RetryableError after `timeoutMs` that names those that don't. A
 * validation that fails can't be repeated (RFC 8555 section 7.1.6), so the CA must not look too early.
 */
export async function waitForRecord(
  client: DnsClient,
  witnesses: readonly Witness[],
  awaited: Awaited,
  { timeoutMs, clock }: { readonly timeoutMs: number; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.monotonicMs() + timeoutMs;
  let missing = witnesses;
  for (;;) {
    const problems = await Promise.all(missing.map((each) => problemAt(client, each, awaited, signal)));
    const waiting = missing.flatMap((witness, index) => {
      const problem = problems[index];
      return problem === undefined ? [] : [{ witness, problem }];
    });
    if (waiting.length === 0) return;
    if (clock.monotonicMs() + POLL_MS > deadline) {
      const list = waiting.map(({ witness, problem }) => `${showNameServer(witness.server)} (${problem})`).join(', ');
      throw new RetryableError(
        'ChallengeFailed',
        `the TXT record ${awaited.name} is not everywhere yet after ${timeoutMs / 1_000} s: ${list}; see whether these servers copy the zone, or raise propagation.timeout`,
        { unproven: true },
      );
    }
    missing = waiting.map(({ witness }) => witness);
    await clock.sleep(POLL_MS, signal);
  }
}

async function problemAt(
  client: DnsClient,
  { server, isOptional, recurse }: Witness,
  { name, data }: Awaited,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const answer = await client.query(server, name, TYPE.TXT, recurse, signal);
    if (hasText(answer, data)) return undefined;
    const isAnswer = answer.rcode === RCODE.NOERROR || answer.rcode === RCODE.NXDOMAIN;
    // An NS record may lead to a server that doesn't have the zone: no reason to wait for it.
    if (isOptional && !answer.isAuthoritative) return undefined;
    return isAnswer ? 'without the record' : rcodeName(answer.rcode);
  } catch (error) {
    signal.throwIfAborted();
    return isOptional ? undefined : messageOf(error);
  }
}

/** The servers that the spec names; undefined where it names none. */
export function namedWitnesses(check: PropagationCheck | undefined): readonly Witness[] | undefined {
  return check?.nameservers?.map((each) => ({
    server: nameServerOf(each, 'propagation.nameservers'),
    isOptional: false,
    recurse: true,
  }));
}

/** Milliseconds of one attempt. */
export function timeoutOf(check: PropagationCheck | undefined): number {
  return parseDuration(check?.timeout ?? '') ?? DEFAULT_TIMEOUT_MS;
}

/** Throws a RetryableError that names the field. */
export function nameServerOf(text: string, field: string): NameServer {
  const server = parseNameServer(text);
  if (server === undefined)
    throw new RetryableError(
      'ChallengeFailed',
      `${field} must be host or host:port, such as ns1.example.com:53, not ${text}`,
    );
  return server;
}
