import { TAG, tlv } from '../../../src/pki/asn1/write.ts';
import type { Dice } from '../../pki/random-pki/dice.ts';

/** An OBJECT IDENTIFIER (DER). Unlike `oid` of src/pki it remembers nothing, since random ones never come again. */
export function derOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(TAG.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift(128 + (left % 128));
  return bytes;
}

/** An unregistered one, with small and large arcs. */
export function randomOid(dice: Dice): string {
  const arcs = Array.from({ length: 1 + dice.below(4) }, () => dice.below(dice.pick([2, 128, 20_000, 2 ** 31 - 1])));
  return ['2.25', '1.3.6.1.4.1.99999', '2.999'][dice.below(3)]?.concat('.', arcs.join('.')) ?? '';
}
