import {
  boolean,
  ia5Bytes,
  implicit,
  integer,
  NULL,
  namedBits,
  octetString,
  sequence,
  tlv,
} from '../../../src/pki/asn1/write.ts';
import type { Dice } from '../../pki/random-pki/dice.ts';
import { inhibitAnyPolicy, nameConstraints, policies, policyConstraints } from '../../pki/write-extensions.ts';
import { randomDnsName, randomGeneralNames, randomUri } from './names.ts';
import { derOid, randomOid } from './oids.ts';
import { randomName } from './texts.ts';

function extension(oid: string, value: Buffer, critical: boolean): Buffer {
  return sequence(derOid(oid), ...(critical ? [boolean(true)] : []), octetString(value));
}

function randomBytes(dice: Dice, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => dice.below(256)));
}

function basicConstraints(dice: Dice): Buffer {
  const isCA = dice.chance(0.4);
  const limit = isCA && dice.chance(0.5) ? [integer(dice.pick([0, 1, 2, 127, 128, 255, 300, 65_536]))] : [];
  return extension('2.5.29.19', sequence(...(isCA ? [boolean(true)] : []), ...limit), dice.chance(0.8));
}

const KEY_AGREEMENT = 4;

function keyUsage(dice: Dice): Buffer {
  const bits = [0, 1, 2, 3, 4, 5, 6, 7, 8].filter(() => dice.chance(0.4));
  // Encipher only and decipher only mean nothing without key agreement (RFC 5280 section 4.2.1.3).
  const legal = bits.filter((bit) => bit < 7 || bits.includes(KEY_AGREEMENT));
  return extension('2.5.29.15', namedBits(legal.length === 0 ? [0] : legal), dice.chance(0.8));
}

const PURPOSES = ['2.5.29.37.0', ...[1, 2, 3, 4, 8, 9].map((last) => `1.3.6.1.5.5.7.3.${last}`)];

function extendedKeyUsage(dice: Dice): Buffer {
  const known = dice.shuffled(PURPOSES).slice(0, 1 + dice.below(4));
  const all = dice.chance(0.3) ? dice.shuffled([...known, randomOid(dice)]) : known;
  return extension('2.5.29.37', sequence(...all.map(derOid)), dice.chance(0.2));
}

function subjectKeyId(dice: Dice): Buffer {
  return extension('2.5.29.14', octetString(randomBytes(dice, dice.pick([1, 8, 20, 20, 32, 64]))), false);
}

function authorityKeyId(dice: Dice): Buffer {
  const keyId = implicit(0, randomBytes(dice, dice.pick([1, 20, 20, 32])));
  const both = [tlv(0xa1, tlv(0xa4, randomName(dice))), implicit(2, Buffer.of(1 + dice.below(127)))];
  return extension('2.5.29.35', sequence(...dice.pick([[keyId], [keyId], [keyId, ...both], both])), false);
}

function informationAccess(dice: Dice): Buffer {
  const uri = implicit(6, ia5Bytes(`http://${randomDnsName(dice).replace('*.', '')}/ca.crt`));
  const access = derOid(`1.3.6.1.5.5.7.48.${1 + dice.below(2)}`);
  return extension('1.3.6.1.5.5.7.1.1', sequence(sequence(access, uri)), false);
}

function crlPoints(dice: Dice): Buffer {
  const uri = implicit(6, ia5Bytes(`http://${randomDnsName(dice).replace('*.', '')}/ca.crl`));
  return extension('2.5.29.31', sequence(sequence(tlv(0xa0, tlv(0xa0, uri)))), dice.chance(0.1));
}

function qualifiedPolicy(dice: Dice): Buffer {
  const qualifier = sequence(derOid('1.3.6.1.5.5.7.2.1'), tlv(0x16, ia5Bytes(randomUri(dice))));
  return extension('2.5.29.32', sequence(sequence(derOid(randomOid(dice)), sequence(qualifier))), dice.chance(0.1));
}

/** Each kind once, in any order: any that there are, with values that RFC 5280 allows. */
export function randomExtensions(dice: Dice): readonly Buffer[] {
  const likely = [basicConstraints, keyUsage, extendedKeyUsage, subjectKeyId, authorityKeyId].filter(() =>
    dice.chance(0.7),
  );
  const rare = [informationAccess, crlPoints].filter(() => dice.chance(0.2));
  return dice.shuffled([
    ...[...likely, ...rare].map((make) => make(dice)),
    ...(dice.chance(0.7) ? [extension('2.5.29.17', randomGeneralNames(dice), dice.chance(0.3))] : []),
    ...(dice.chance(0.1) ? [extension('2.5.29.18', randomGeneralNames(dice), false)] : []),
    ...(dice.chance(0.1) ? [dice.chance(0.5) ? policies(['1.2.3.4', '2.5.29.32.0']) : qualifiedPolicy(dice)] : []),
    ...(dice.chance(0.05) ? [nameConstraints({ permitted: ['DNS:example.com', 'IP:10.0.0.0/255.0.0.0'] })] : []),
    ...(dice.chance(0.05) ? [policyConstraints(0, 1), inhibitAnyPolicy(2)] : []),
    ...(dice.chance(0.05) ? [extension('1.3.6.1.5.5.7.48.1.5', NULL, false)] : []),
    ...(dice.chance(0.2) ? [extension(randomOid(dice), randomBytes(dice, dice.below(200)), dice.chance(0.3))] : []),
  ]);
}
