import type { Clock } from '../../../../clock.ts';
import { exchange, type NameServer, type Way } from './exchange.ts';
import {
  CLASS,
  decodeMessage,
  encodeQuery,
  encodeUpdate,
  type Message,
  OPCODE,
  RCODE,
  type ResourceRecord,
} from './message.ts';
import { canonicalName, DnsFormatError } from './name.ts';
import { readTsig, serverTime, signMessage, type TsigKey, tsigProblem } from './tsig.ts';

/** What a server said to an update. */
export interface UpdateAnswer {
  readonly rcode: number;
  /** Of the TSIG: BADSIG, BADKEY or BADTIME; 0 where there is none. */
  readonly tsigError: number;
  /** Whether the answer is signed with the key, and so is of a server that has it. */
  readonly isSigned: boolean;
  /** Seconds since 1970 by its clock, where it answered BADTIME. */
  readonly serverTime?: number | undefined;
}

/** Queries and updates of name servers. */
export class DnsClient {
  readonly #way: Way;
  readonly #clock: Clock;

  constructor(way: Way, clock: Clock) {
    this.#way = way;
    this.#clock = clock;
  }

  /** The answer of one server, whatever it says. `recurse` asks it to ask others. */
  async query(server: NameServer, name: string, type: number, recurse: boolean, signal: AbortSignal): Promise<Message> {
    const id = this.#id();
    const request = encodeQuery(id, { name, type, class: CLASS.IN }, recurse);
    const answer = decodeMessage(await exchange(server, request, this.#way, signal));
    refuseOther(answer, id, OPCODE.QUERY);
    const [question] = answer.questions;
    if (question !== undefined && (question.name !== canonicalName(name) || question.type !== type))
      throw new DnsFormatError('the answer is to another question');
    return answer;
  }

  /** Throws DnsFormatError where a success, or anything that is signed, isn't of a server that has the key. */
  async update(
    server: NameServer,
    zone: string,
    updates: readonly ResourceRecord[],
    key: TsigKey,
    signal: AbortSignal,
  ): Promise<UpdateAnswer> {
    const id = this.#id();
    const request = signMessage(encodeUpdate(id, zone, updates), key, this.#seconds());
    const bytes = await exchange(server, request.bytes, this.#way, signal);
    const answer = decodeMessage(bytes);
    refuseOther(answer, id, OPCODE.UPDATE);
    const tsig = readTsig(answer);
    const tsigError = tsig?.error ?? 0;
    // A server that doesn't know the key, or found the signature wrong, can't sign (RFC 8945 section 5.3.2).
    const isUnsigned = tsig === undefined || tsig.mac.length === 0;
    if (isUnsigned && answer.rcode === RCODE.NOERROR)
      throw new DnsFormatError('the server says that it has made the update, but its answer is not signed');
    if (isUnsigned) return { rcode: answer.rcode, tsigError, isSigned: false };
    const problem = tsigProblem(bytes, answer, tsig, key, request.mac, this.#seconds());
    if (problem !== undefined && tsigError !== RCODE.BADTIME)
      throw new DnsFormatError(`the answer is not of a server that has the key: ${problem}`);
    return { rcode: answer.rcode, tsigError, isSigned: problem === undefined, serverTime: serverTime(tsig) };
  }

  #seconds(): number {
    return Math.floor(this.#clock.now().getTime() / 1_000);
  }

  #id(): number {
    return Math.floor(this.#clock.random() * 65_536);
  }
}

function refuseOther(answer: Message, id: number, opcode: number): void {
  if (!answer.isResponse || answer.id !== id || answer.opcode !== opcode)
    throw new DnsFormatError('the answer is to another request');
}
