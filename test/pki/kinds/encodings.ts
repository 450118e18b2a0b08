import { type Kind, kindsOf } from './kind.ts';

/** Names and numbers that some verifier can't parse. OpenSSL writes the string type that the mask allows. */
const { ready, refused } = kindsOf('openssl');

const named = (mask: string, name: string) =>
  `printf '[req]\\ndistinguished_name=dn\\nstring_mask=MASK:${mask}\\n[dn]\\n' >mask.cnf; REQUEST='-config mask.cnf' SUBJECT='/CN=${name}' root my; pair my`;

const unreadable = (seen: RegExp) => ({
  ground: 'path' as const,
  message: new RegExp(`tls\\.crt.*(${seen.source})`),
  remedy: 'Make the certificate again with the name as UTF8String (`string_mask = utf8only`).',
});

export const ENCODINGS: readonly Kind[] = [
  ready('a name as PrintableString', named('0x2', 'Shop CA')),
  ready('a name as BMPString', named('0x800', 'Shop CA')),
  ready('a name as TeletexString', named('0x4', 'Shop CA')),
  refused(
    'a name as UniversalString',
    'SUBJECT=/CN=mycaname root my; pair my; node "$RESIGN" my.crt my.key 0c086d7963616e616d65 1c080000006d00000079 >tls.crt',
    unreadable(/UniversalString/),
  ),
  refused(
    'an underscore in a PrintableString',
    `root my; SUBJECT=/CN=my_ca root my; pair my; node "$RESIGN" my.crt my.key 0c056d795f6361 13056d795f6361 >tls.crt`,
    unreadable(/PrintableString/),
  ),
  ready(
    'a serial number of 20 octets',
    'SIGN="-set_serial 0x7fffffffffffffffffffffffffffffffffffffff" root my; pair my',
  ),
];
