import { connect, type Socket } from 'node:net';
import { within } from '../../../../abort.ts';
import { BoundedBody } from '../../../../bounded-body.ts';
import { type AddressRules, guardedLookup, refuseLiteral } from '../../../http/address.ts';
import { DnsFormatError } from './name.ts';

const EXCHANGE_MS = 5_000;
/** With the two bytes of its length. */
const LONGEST_ANSWER = 2 + 65_535;

/** Whom to ask, and on whose behalf. */
export interface NameServer {
  readonly host: string;
  readonly port: number;
}

export interface Way {
  readonly rules: AddressRules;
  /** The namespace of the authority: of each one name is resolved at a time. */
  readonly namespace: string;
}

/**
 * One message to a name server and its answer, over TCP within 5 s: an answer over UDP could be forged by anyone who
 * guesses its id, and would be cut short. Throws what the socket throws, AddressRefused, or DnsFormatError.
 */
export function exchange(server: NameServer, message: Buffer, way: Way, signal: AbortSignal): Promise<Buffer> {
  refuseLiteral(server.host, way.rules);
  return within(EXCHANGE_MS, signal, async (scope) => {
    scope.throwIfAborted();
    const socket = connect({ ...server, lookup: guardedLookup(way.rules, way.namespace), noDelay: true });
    const abort = () => socket.destroy(scope.reason instanceof Error ? scope.reason : new Error('given up'));
    scope.addEventListener('abort', abort, { once: true });
    try {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
      return await answerOf(socket);
    } finally {
      scope.removeEventListener('abort', abort);
      socket.destroy();
    }
  });
}

/** Bounded by its length, which has 16 bits (RFC 1035 section 4.2.2). */
async function answerOf(socket: Socket): Promise<Buffer> {
  // Not joined anew with each piece: a server may send byte by byte.
  const received = new BoundedBody(LONGEST_ANSWER);
  for await (const piece of socket as AsyncIterable<Buffer>) {
    if (!received.push(piece)) throw new DnsFormatError('the answer is longer than it says');
    if (received.length < 2) continue;
    const bytes = received.bytes();
    const end = 2 + bytes.readUInt16BE(0);
    if (bytes.length >= end) return bytes.subarray(2, end);
  }
  throw new DnsFormatError('the connection ended before an answer was complete');
}

/** `host:port`, with an IPv6 address in brackets; undefined for anything else. The port is 53 where there is none. */
export function parseNameServer(text: string): NameServer | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = digits === undefined ? 53 : Number(digits);
  return host === undefined || port === 0 || port > 65_535 ? undefined : { host, port };
}

/** As a spec names it. */
export function showNameServer({ host, port }: NameServer): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
