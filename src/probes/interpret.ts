import type { ProbeProtocol } from '../api/verifiers.ts';
import { oneLine } from '../foreign-text.ts';
import { alertIn, alertText, refusesCertificate } from './alerts.ts';
import type { Answer, Ended } from './answer.ts';

interface Circumstances {
  readonly protocol: ProbeProtocol;
  /** The handshake was over, and the server's certificate is trusted. */
  readonly isSecure: boolean;
  /** The server asked for a client certificate. */
  readonly askedForCertificate: boolean;
}

type Verdict = Pick<Answer, 'outcome' | 'seen'>;

const LONGEST_SEEN = 120;
/** Errors of a connection that the other side ended, or that ended while we wrote. */
const ENDED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']);

/** What the end of a connection says about the certificate that was shown. */
export function interpret(ended: Ended, circumstances: Circumstances): Verdict {
  const { protocol, isSecure, askedForCertificate } = circumstances;
  switch (ended.by) {
    case 'data':
      return protocol.is === 'tls' ? { outcome: 'Accepted', seen: 'data' } : byStatus(ended.text, protocol);
    case 'quiet':
      return { outcome: 'Accepted', seen: 'the connection stays open' };
    case 'timeout':
      return { outcome: 'Unknown', seen: isSecure ? 'no answer' : 'no TLS handshake' };
    case 'end':
      return closed(isSecure || askedForCertificate);
    case 'error':
      return byError(ended.error, isSecure, askedForCertificate);
    default:
      return ended satisfies never;
  }
}

function byError(
  error: { readonly message: string; readonly code?: string | undefined },
  isSecure: boolean,
  asked: boolean,
): Verdict {
  const alert = alertIn(error);
  if (alert !== undefined)
    return { outcome: refusesCertificate(alert, asked) ? 'Rejected' : 'Unknown', seen: alertText(alert) };
  const { code = '' } = error;
  if (ENDED.has(code)) return closed(isSecure || asked);
  if (code === 'ECONNREFUSED') return { outcome: 'Unknown', seen: 'connection refused' };
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return { outcome: 'Unknown', seen: 'no route to it' };
  if (/^ERR_SSL_|^EPROTO/.test(code)) return { outcome: 'Unknown', seen: `TLS fails (${code})` };
  // What Node says where it doesn't trust a server: the names of OpenSSL's verify errors, and its own for names.
  if (/CERT|ISSUER|CA_KEY|SIGNATURE|CRL/.test(code))
    return { outcome: 'Unknown', seen: `the certificate of the server is not trusted (${code})` };
  return { outcome: 'Unknown', seen: oneLine(code === '' ? error.message : code).slice(0, LONGEST_SEEN) };
}

function closed(hadCertificate: boolean): Verdict {
  return hadCertificate
    ? { outcome: 'Closed', seen: 'connection closed without an alert' }
    : { outcome: 'Unknown', seen: 'connection closed before a certificate was asked for' };
}

function byStatus(text: string, protocol: Extract<ProbeProtocol, { is: 'http' }>): Verdict {
  const [, digits] = /^HTTP\/1\.[01] (\d{3})(?: |\r|\n)/.exec(text) ?? [];
  if (digits === undefined) return { outcome: 'Unknown', seen: 'no HTTP/1.1 answer' };
  const status = Number(digits);
  const seen = `HTTP ${status}`;
  if (protocol.acceptStatus.includes(status)) return { outcome: 'Accepted', seen };
  if (protocol.rejectStatus.includes(status)) return { outcome: 'Rejected', seen };
  return { outcome: 'Unknown', seen: `${seen}, which is neither in acceptStatus nor in rejectStatus` };
}
