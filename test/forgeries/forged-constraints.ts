import { oid, sequence, set, tlv } from '../../src/pki/asn1/write.ts';
import { type Forge, type Forgeries, from } from './forgery.ts';
import { belowWith, extension, type Wish } from './forging.ts';

/** The right certificate from a CA below the right intermediate, of which verifiers refuse what it signs. */
function below(wish: Wish): Forge {
  return from((honest) => belowWith(honest, wish));
}

const PRINTABLE_STRING = 0x13;

export const WRONG_CONSTRAINTS: Forgeries = {
  'an issuer for servers alone': {
    forge: below({ usages: ['cert sign', 'crl sign', 'server auth'] }),
    says: 'usages holds "client auth", which the extended key usage of the CA CN=below lacks',
  },
  'an issuer that permits other names': {
    forge: below({
      more: [extension('2.5.29.30', sequence(tlv(0xa0, sequence(tlv(0x82, Buffer.from('zoo.invalid'))))), true)],
    }),
    says: 'which is outside the subtrees that the CA CN=below permits',
  },
  'an issuer that requires a policy': {
    forge: below({
      more: [
        extension('2.5.29.32', sequence(sequence(oid('1.2.3.4')))),
        extension('2.5.29.36', sequence(tlv(0x80, Buffer.of(0))), true),
      ],
    }),
    says: 'requires a certificate policy',
  },
  'an issuer with a critical extension that Java refuses': {
    forge: below({
      more: [
        extension('2.5.29.31', sequence(sequence(tlv(0xa0, tlv(0xa0, tlv(0x86, Buffer.from('http://x')))))), true),
      ],
    }),
    says: 'CN=below has critical CRL distribution points, which Java refuses',
  },
  'an issuer whose name Go can not read': {
    forge: below({
      subjectDer: sequence(set(sequence(oid('2.5.4.3'), tlv(PRINTABLE_STRING, Buffer.from('my_ca'))))),
    }),
    says: 'is not readable by all verifiers: Go refuses',
  },
};
