import { randomBytes } from 'node:crypto';
import { integer, octetString, oid, sequence, tlv } from '../../src/pki/asn1/write.ts';
import { toPem } from '../../src/pki/pem.ts';

const BYTES = 1_250;
const OIDS = { DH: '1.2.840.113549.1.3.1', DSA: '1.2.840.10040.4.1' } as const;

/** A private key (PKCS#8) without its public half, which OpenSSL computes when it reads the key. */
export function privateKeyOfSlowPublicHalf(kind: keyof typeof OIDS, bytes = BYTES): string {
  const modulus = number(bytes, 0x7f, 1);
  const parameters =
    kind === 'DH'
      ? sequence(modulus, integer(2))
      : sequence(modulus, number(bytes, 0x7e, 1), number(bytes - 1, 0x7f, 1));
  const algorithm = sequence(oid(OIDS[kind]), parameters);
  return toPem('PRIVATE KEY', sequence(integer(0), algorithm, octetString(number(bytes - 1, 0x7f, 1))));
}

/** Positive, of that many bytes. */
function number(bytes: number, first: number, last: number): Buffer {
  const value = randomBytes(bytes);
  value.writeUInt8(first, 0);
  value.writeUInt8(value.readUInt8(bytes - 1) | last, bytes - 1);
  return tlv(2, value);
}
