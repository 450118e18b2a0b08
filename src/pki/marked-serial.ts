import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CertificateView } from './certificate.ts';

/** Bytes of chance, and of the mark behind them. */
const RANDOM_BYTES = 12;
const MARK_BYTES = 7;
export const MARKED_SERIAL_BYTES = RANDOM_BYTES + MARK_BYTES;

/** The CA by whose key a serial number is marked. */
export type MarkedFor = Pick<CertificateView, 'publicKeyDer'>;

/**
 * A serial number of 19 octets which shows, to a holder of `key` alone, that this CA was to issue it: a responder knows without
 * any list which certificates are good (RFC 6960 section 2.2). 94 random bits stay; RFC 5280 section 4.1.2.2 wants it positive.
 */
export function markedSerial(randomBytes12: Uint8Array, ca: MarkedFor, key: Buffer): Buffer {
  if (randomBytes12.length !== RANDOM_BYTES)
    throw new Error(`${randomBytes12.length} random bytes for a serial number; ${RANDOM_BYTES} are needed`);
  const random = Buffer.from(randomBytes12);
  random[0] = ((random[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.concat([random, markOf(random, ca, key)]);
}

/** Whether the serial number (hex) carries the mark of that CA. */
export function isMarkedSerial(serialNumber: string, ca: MarkedFor, key: Buffer): boolean {
  const bytes = Buffer.from(serialNumber, 'hex');
  if (bytes.length !== MARKED_SERIAL_BYTES) return false;
  return timingSafeEqual(bytes.subarray(RANDOM_BYTES), markOf(bytes.subarray(0, RANDOM_BYTES), ca, key));
}

/** A CA that was renewed under its key has the same mark, since a request by OCSP names the CA by its key. */
function markOf(random: Buffer, { publicKeyDer }: MarkedFor, key: Buffer): Buffer {
  const hmac = createHmac('sha256', key).update('certwheel serial number\0').update(random).update(publicKeyDer);
  return hmac.digest().subarray(0, MARK_BYTES);
}
