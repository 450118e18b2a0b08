import { isPrintable, printableString, sequence, set, TAG, tlv, utf8String } from '../../../src/pki/asn1/write.ts';
import type { Dice } from '../../pki/random-pki/dice.ts';
import { derOid, randomOid } from './oids.ts';

const ALPHABETS: readonly (readonly string[])[] = [
  [...'abcdefghijklmnopqrstuvwxyz'],
  [...'ABC xyz 019 ,+"\\<>;=#/ '],
  [...'äöüßÉñçŁø'],
  [...'日本語中文한국어'],
  [...'אבגدهوРусΩ'],
  [...'🔑😀𝔘𐍈'],
  ['e\u0301', '\u200d', '\u202e', '\ufeff', '\u00a0', '\u2028'],
  ['\u0001', '\t', '\u007f', '\u0085', 'a'],
];

/** 1 to `most` characters of one or two scripts. */
export function randomText(dice: Dice, most: number): string {
  const alphabets = [dice.pick(ALPHABETS), dice.pick(ALPHABETS)];
  const length = 1 + dice.below(dice.chance(0.1) ? most : Math.min(most, 12));
  const text = Array.from({ length }, () => dice.pick(dice.pick(alphabets))).join('');
  return [...text].slice(0, most).join('');
}

const TYPES = {
  commonName: '2.5.4.3',
  surname: '2.5.4.4',
  serialNumber: '2.5.4.5',
  country: '2.5.4.6',
  locality: '2.5.4.7',
  province: '2.5.4.8',
  street: '2.5.4.9',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  title: '2.5.4.12',
  postalCode: '2.5.4.17',
  givenName: '2.5.4.42',
  dnQualifier: '2.5.4.46',
  userId: '0.9.2342.19200300.100.1.1',
  domainComponent: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;

const IA5_TYPES: readonly string[] = [TYPES.domainComponent, TYPES.emailAddress];
const PRINTABLE_TYPES: readonly string[] = [TYPES.serialNumber, TYPES.country, TYPES.dnQualifier];

/** An RDNSequence (DER): any types, any of the string types that RFC 5280 section 4.1.2.4 knows, RDNs of several attributes. */
export function randomName(dice: Dice): Buffer {
  const rdns = Array.from({ length: dice.below(7) }, () => {
    const types = dice.chance(0.15) ? dice.shuffled(Object.values(TYPES)).slice(0, 3) : [randomType(dice)];
    return set(...types.map((type) => sequence(derOid(type), randomValue(type, dice))));
  });
  return sequence(...rdns);
}

function randomType(dice: Dice): string {
  return dice.chance(0.1) ? randomOid(dice) : dice.pick(Object.values(TYPES));
}

function randomValue(type: string, dice: Dice): Buffer {
  if (IA5_TYPES.includes(type)) return tlv(TAG.ia5String, Buffer.from(`user${dice.below(1000)}@example.com`));
  if (type === TYPES.country) return printableString(dice.pick(['DE', 'FR', 'us']));
  if (PRINTABLE_TYPES.includes(type)) return printableString(`A'()+,-./:=? ${dice.below(1000)}`);
  const text = randomText(dice, 64);
  switch (dice.below(8)) {
    case 0:
      return isPrintable(text) ? printableString(text) : utf8String(text);
    case 1:
      // Characters outside the BMP have no form there.
      return /^[\0-\ud7ff\ue000-\uffff]*$/.test(text)
        ? tlv(TAG.bmpString, Buffer.from(text, 'utf16le').swap16())
        : utf8String(text);
    case 2:
      // Latin-1, as everyone has it who wrote more than ASCII.
      return (dice.chance(0.1) ? /^[\0-\u00ff]*$/ : /^[ -~]*$/).test(text)
        ? tlv(TAG.teletexString, Buffer.from(text, 'latin1'))
        : utf8String(text);
    case 3:
      return dice.chance(0.1) ? tlv(TAG.universalString, utf32(text)) : utf8String(text);
    default:
      return utf8String(text);
  }
}

function utf32(text: string): Buffer {
  return Buffer.concat(
    [...text].map((character) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(character.codePointAt(0) ?? 0);
      return bytes;
    }),
  );
}
