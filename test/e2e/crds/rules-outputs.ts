/** What the CEL rules of a ClientCertificate refuse about the files of its Secret. */
import { type Row, spec } from './rows.ts';

const passwordSecretRef = { name: 'password', key: 'password' };
const stores = (kind: string, more: object) =>
  spec({ keystores: { [kind]: { create: true, passwordSecretRef, ...more } } });
const names = (secretDataNames: object) => spec({ secretDataNames });

const OWN_NAME =
  "a name must not be one that Certwheel writes itself (tls.crt, tls.key, ca.crt, tls-combined.pem, key.der, keystore.p12, truststore.p12, keystore.jks, truststore.jks), '.', or begin with '..'";
const SAME_NAME = 'the names must differ from each other';

const ofStores = ['pkcs12', 'jks'].flatMap((kind) => [
  {
    refuses: `a literal password for ${kind}`,
    rule: `spec.keystores.${kind}`,
    says: 'a password in a ClientCertificate can be read by all who may read that; put it into a Secret and name it in passwordSecretRef',
    bad: stores(kind, { password: 'changeit' }),
    good: stores(kind, {}),
  },
  ...['a\nb', 'a\u0085', 'smile \u{1F600}'].map((alias) => ({
    refuses: `the alias ${JSON.stringify(alias)} for ${kind}`,
    rule: `spec.keystores.${kind}.alias`,
    says: 'must not hold control characters, or characters above U+FFFF',
    bad: stores(kind, { alias }),
    good: stores(kind, { alias: 'schlüssel 1' }),
  })),
]);

const ofNames = [
  ...['tls.crt', 'ca.crt', 'key.der', 'truststore.jks', '.', '..', '..data'].map((name) => ({
    refuses: `the file name ${name}`,
    rule: 'spec.secretDataNames',
    says: OWN_NAME,
    bad: names({ privateKey: name }),
    good: names({ privateKey: `x${name}` }),
  })),
  ...(
    [
      ['certificate', 'privateKey'],
      ['certificate', 'ca'],
      ['privateKey', 'ca'],
    ] as const
  ).map(([one, other]) => ({
    refuses: `one file name for ${one} and ${other}`,
    rule: 'spec.secretDataNames',
    says: SAME_NAME,
    bad: names({ [one]: 'a.pem', [other]: 'a.pem' }),
    good: names({ [one]: 'a.pem', [other]: 'b.pem' }),
  })),
];

export const OUTPUT_RULES: Omit<Row, 'kind'>[] = [...ofStores, ...ofNames];
