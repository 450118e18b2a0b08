import { explicit, ia5Bytes, implicit, sequence, tlv, utf8String } from '../../../src/pki/asn1/write.ts';
import type { Dice } from '../../pki/random-pki/dice.ts';
import { generalName } from '../../pki/write-extensions.ts';
import { derOid, randomOid } from './oids.ts';
import { randomName } from './texts.ts';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789'];

function word(dice: Dice, most = 10): string {
  return Array.from({ length: 1 + dice.below(most) }, () => dice.pick(LETTERS)).join('');
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

/** Lower case, as the CRD wants it. */
export function randomDnsName(dice: Dice): string {
  const labels = times(1 + dice.below(5), () => word(dice, dice.chance(0.05) ? 63 : 10)).slice(0, 3);
  const name = dice.chance(0.1) ? `xn--${word(dice)}.${labels.join('.')}` : labels.join('.');
  return dice.chance(0.15) ? `*.${name}` : name;
}

export function randomMailAddress(dice: Dice): string {
  return `${word(dice)}${dice.pick(['', '.', '+', "'", '_'])}${word(dice)}@${word(dice)}.${word(dice)}`;
}

export function randomAddress(dice: Dice): string {
  if (dice.chance(0.5)) return times(4, () => dice.below(256)).join('.');
  return times(8, () => (dice.chance(0.4) ? 0 : dice.below(65_536)).toString(16)).join(':');
}

export function randomUri(dice: Dice): string {
  const path = times(
    dice.below(4),
    () => `/${dice.pick([word(dice), '%20', "a'b", '~', 'x,y', '(z)', '%C3%A9'])}`,
  ).join('');
  const host = dice.pick([`${word(dice)}.${word(dice)}`, word(dice), '[2001:db8::1]', '192.0.2.1']);
  switch (dice.below(6)) {
    case 0:
      return `urn:${word(dice)}:${word(dice)}`;
    case 1:
      return `https://${dice.pick(['', 'user@', 'a:b@'])}${host}${dice.pick(['', ':8443'])}${path}${dice.pick(['', '?a=b&c', '#f'])}`;
    case 2:
      return `ldap://${host}/cn=${word(dice)},o=${word(dice)}`;
    default:
      return `spiffe://${word(dice)}.${word(dice)}${path}`;
  }
}

/** A GeneralName (DER) that Certwheel itself doesn't write, or writes otherwise. */
function strangeName(dice: Dice): Buffer {
  switch (dice.below(8)) {
    case 0:
      return tlv(0xa0, derOid(randomOid(dice)), explicit(0, utf8String(word(dice))));
    case 1:
      return tlv(0xa4, randomName(dice));
    case 2:
      return implicit(8, derOid(randomOid(dice)).subarray(2));
    case 3:
      return implicit(2, ia5Bytes(dice.pick(['UPPER.Example.COM', '_sip._tcp.example.com', 'a_b', 'example.com.'])));
    case 4:
      return implicit(7, Buffer.from('00000000000000000000ffffc0000207', 'hex'));
    case 5:
      return implicit(1, ia5Bytes(dice.pick(['"quoted, local"@example.com', 'UPPER@EXAMPLE.COM'])));
    default:
      return generalName(
        `URI:${dice.pick(['https://example.com', 'HTTPS://EXAMPLE.COM/', 'https://example.com/?', 'file:///a'])}`,
      );
  }
}

/** GeneralNames (DER) of all kinds, some of them twice. */
export function randomGeneralNames(dice: Dice): Buffer {
  const names = times(1 + dice.below(6), () => {
    if (dice.chance(0.25)) return strangeName(dice);
    switch (dice.below(4)) {
      case 0:
        return generalName(`DNS:${randomDnsName(dice)}`);
      case 1:
        return generalName(`email:${randomMailAddress(dice)}`);
      case 2:
        return generalName(`URI:${randomUri(dice)}`);
      default:
        return generalName(`IP:${randomAddress(dice)}`);
    }
  });
  return sequence(...names, ...(dice.chance(0.05) ? names.slice(0, 1) : []));
}
