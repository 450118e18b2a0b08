import { connect, isIP } from 'node:net';
import { checkServerIdentity, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Clock } from '../clock.ts';
import { messageOf } from '../thrown.ts';
import type { Answer, Ended, Question } from './answer.ts';
import { demandOf } from './ca-names.ts';
import { interpret } from './interpret.ts';
import { TappedSocket } from './tapped-socket.ts';

/** Connection, handshake and answer together. */
const LONGEST_MS = 10_000;
/** RFC 8446: the client is done before the server has looked at its certificate, so a refusal comes later. */
const QUIET_MS = 1_000;
/** With TLS 1.3 so long before a request is sent: a server that closes with unread data resets, and its alert is lost. */
const ALERT_MS = 150;
/** Enough for a status line. */
const MOST_ANSWER = 4_096;

/**
 * Shows a certificate to one server over a connection of its own, without a session of an earlier one: a resumed session
 * proves nothing about the certificate. Never throws.
 */
export async function ask(question: Question, clock: Pick<Clock, 'monotonicMs'>, signal: AbortSignal): Promise<Answer> {
  const startedMs = clock.monotonicMs();
  const tap = new TappedSocket(connect({ host: question.address, port: question.port }));
  const seen: Seen = { isSecure: false, serverNotAfter: undefined, serverSecret: undefined };
  let ended: Ended;
  try {
    ended = await converse(handshake(question, tap), question, seen, signal);
  } catch (thrown) {
    // A CA bundle that OpenSSL can't read.
    ended = { by: 'error', error: { message: messageOf(thrown) } };
  } finally {
    tap.destroy();
  }
  const demand = demandOf(tap.received, seen.serverSecret);
  const { protocol } = question;
  const { isSecure, serverNotAfter } = seen;
  return {
    ...interpret(ended, { protocol, isSecure, askedForCertificate: demand?.asksFor === 'certificate' }),
    seconds: (clock.monotonicMs() - startedMs) / 1_000,
    demand,
    serverNotAfter,
  };
}

interface Seen {
  isSecure: boolean;
  serverNotAfter: Date | undefined;
  serverSecret: Buffer | undefined;
}

function handshake({ serverName, serverTrust, credentials, protocol }: Question, tap: TappedSocket): TLSSocket {
  return tlsConnect({
    socket: tap,
    // An address is never sent as SNI (RFC 6066 section 3).
    servername: isIP(serverName) === 0 ? serverName : '',
    checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
    secureContext: serverTrust.showing(credentials),
    // Servers of gRPC refuse a client that doesn't offer h2.
    ALPNProtocols: protocol.is === 'tls' ? ['h2', 'http/1.1'] : ['http/1.1'],
    rejectUnauthorized: true,
  });
}

function converse(socket: TLSSocket, { protocol, serverName }: Question, seen: Seen, signal: AbortSignal) {
  return new Promise<Ended>((resolve) => {
    const timers = [setTimeout(() => end({ by: 'timeout' }), LONGEST_MS)];
    const aborted = () => end({ by: 'timeout' });
    const end = (ended: Ended) => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      socket.destroy();
      resolve(ended);
    };
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    let text = '';
    let isSent = false;
    const send = () => {
      if (!isSent && protocol.is === 'http') socket.write(request(protocol.path, serverName));
      isSent = true;
    };
    socket.on('keylog', (line: Buffer) => {
      const [label, , secret = ''] = line.toString('latin1').trim().split(' ');
      if (label === 'SERVER_HANDSHAKE_TRAFFIC_SECRET') seen.serverSecret = Buffer.from(secret, 'hex');
    });
    socket.on('secureConnect', () => {
      seen.isSecure = true;
      const validTo = new Date(socket.getPeerCertificate().valid_to);
      seen.serverNotAfter = Number.isNaN(validTo.getTime()) ? undefined : validTo;
      if (protocol.is === 'tls') timers.push(setTimeout(() => end({ by: 'quiet' }), QUIET_MS));
      else if (socket.getProtocol() === 'TLSv1.3') timers.push(setTimeout(send, ALERT_MS));
      else send();
    });
    // A ticket comes from a server that has accepted the handshake, so there is nothing left to wait for. What is
    // written within this event is never sent.
    socket.on('session', () => void (seen.isSecure && setImmediate(send)));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (protocol.is === 'tls' || /\n/.test(text) || text.length > MOST_ANSWER) end({ by: 'data', text });
    });
    socket.on('end', () => end({ by: 'end' }));
    socket.on('close', () => end({ by: 'end' }));
    socket.on('error', (error) => end({ by: 'error', error }));
  });
}

function request(path: string, serverName: string): string {
  const host = isIP(serverName) === 6 ? `[${serverName}]` : serverName;
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: certwheel-probe\r\nConnection: close\r\n\r\n`;
}
