import { hash } from 'node:crypto';
import type { CertificateView } from '../../pki/certificate.ts';
import type { RenewalInfo } from '../backend.ts';
import { membersOf } from '../http/json-members.ts';
import type { Session } from './session.ts';

const LEAST_PAUSE_MS = 60_000;
const MOST_PAUSE_MS = 86_400_000;
/** RFC 9773 section 4.3.3 leaves it to the client where the server says nothing. */
const PAUSE_MS = 6 * 3_600_000;

/**
 * What a server calls a certificate (RFC 9773 section 4.1): the key id of its issuer and its serial number, whose first
 * byte is zero where the number would be negative without it. Undefined where the certificate names no issuer by a key id.
 */
export function certId({
  authorityKeyId,
  serialNumber,
}: Pick<CertificateView, 'authorityKeyId' | 'serialNumber'>): string | undefined {
  if (authorityKeyId === undefined) return undefined;
  const serial = Buffer.from(serialNumber, 'hex');
  const content = (serial[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), serial]) : serial;
  return `${Buffer.from(authorityKeyId, 'hex').toString('base64url')}.${content.toString('base64url')}`;
}

/** A moment of the window that the server suggests for the renewal; undefined where it suggests none that can be read. */
export function suggestedMoment(body: unknown, random: number): Date | undefined {
  const { start, end } = membersOf(membersOf(body).suggestedWindow);
  const [first, last] = [Date.parse(String(start)), Date.parse(String(end))];
  // RFC 9773 section 4.2: a window that ends before it begins is to be passed over.
  return last > first ? new Date(first + random * (last - first)) : undefined;
}

/**
 * Where in a window a certificate is to be renewed: RFC 9773 section 4.2 asks for a random moment. Drawn anew with each
 * question it would come earlier the oftener a server is asked.
 */
function placeOf(id: string): number {
  return hash('sha256', id, 'buffer').readUInt32BE(0) / 2 ** 32;
}

/** Asks for the renewal information of a certificate; undefined where the server has none. */
export async function renewalInfoOf(
  session: Session,
  leaf: Pick<CertificateView, 'authorityKeyId' | 'serialNumber'>,
  signal: AbortSignal,
): Promise<RenewalInfo | undefined> {
  const { renewalInfo } = await session.directory(signal);
  const id = certId(leaf);
  if (renewalInfo === undefined || id === undefined) return undefined;
  const answer = await session.get(`${renewalInfo.replace(/\/$/, '')}/${id}`, signal);
  // That a server knows nothing of it is no failure: the schedule of the certificate stands.
  const suggested = answer.status === 200 ? suggestedMoment(session.json(answer).body, placeOf(id)) : undefined;
  const pauseMs = Math.min(MOST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, answer.retryAfterMs ?? PAUSE_MS));
  return { suggested, askAgainInMs: pauseMs };
}
