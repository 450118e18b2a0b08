/** What the CEL rules of all kinds refuse of free text: the characters that no YAML carries. */

import type { Json } from './api.ts';
import { type Row, spec } from './rows.ts';

type Short = Omit<Row, 'kind'>;

const TEXT = 'must not hold control characters, line or paragraph separators, U+FFFE or U+FFFF';
const ANNOTATION =
  'a value must not hold control characters but tab and line breaks, line or paragraph separators, U+FFFE or U+FFFF';

const BAD = ['\x80', '\x85', '\x9f', '\u2028', '\u2029', '\ufffe', '\uffff'];
/** The nearest of each, and what names in other scripts need. */
const GOOD = 'a~\xa0\u2027\u202f\ufffd\u{1f511} größer 日本 نرم\u200cافزار b';

const named = (text: string) => `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

export function textRows(rule: string, withText: (text: string) => Json): Short[] {
  return BAD.map((bad) => ({
    refuses: `${named(bad)} in ${rule}`,
    rule,
    says: TEXT,
    bad: withText(`a${bad}b`),
    good: withText(GOOD),
  }));
}

const SUBJECT = [
  'organizations',
  'organizationalUnits',
  'provinces',
  'localities',
  'streetAddresses',
  'postalCodes',
] as const;

/** `below` puts the fields of the subject where they belong in a spec. */
function subjectRows(path: string, below: (fields: Json) => Json): Short[] {
  return [
    ...textRows(`${path}.commonName`, (commonName) => below({ commonName })),
    ...SUBJECT.flatMap((field) =>
      textRows(`${path}.subject.${field}[]`, (text) => below({ subject: { [field]: [text] } })),
    ),
  ];
}

const annotated = (team: string) => spec({ secretTemplate: { annotations: { team } } });
const annotations: Short[] = ['\0', '\x1b', '\x7f', ...BAD].map((bad) => ({
  refuses: `${named(bad)} in an annotation`,
  rule: 'spec.secretTemplate.annotations',
  says: ANNOTATION,
  bad: annotated(`a${bad}b`),
  good: annotated(`${GOOD}\t\r\n`),
}));

export const CERTIFICATE_TEXT_ROWS: readonly Short[] = [...subjectRows('spec', spec), ...annotations];

const vaultWith = (auth: Json) =>
  spec({ selfManaged: null, vault: { server: 'https://vault.example.com:8200', role: 'client', auth } });
const login = { role: 'client', serviceAccountName: 'login' };
const provisioner = (name: string) => {
  const rest = { server: 'https://ca.example.com', rootFingerprints: ['ab'.repeat(32)] };
  return spec({ selfManaged: null, stepCA: { ...rest, provisioner: { name, secretRef: { name: 'provisioner' } } } });
};

const awsWith = (serviceAccountRef: Json) => {
  const arn = 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1';
  return spec({ selfManaged: null, awsPrivateCA: { arn, auth: { serviceAccountRef } } });
};
const awsRole = { name: 'login', roleArn: 'arn:aws:iam::111122223333:role/certwheel' };

export const AUTHORITY_TEXT_ROWS: readonly Short[] = [
  ...subjectRows('spec.selfManaged', (fields) => spec({ selfManaged: fields })),
  ...textRows('spec.vault.auth.kubernetes.audience', (audience) => vaultWith({ kubernetes: { ...login, audience } })),
  ...textRows('spec.vault.auth.appRole.roleId', (roleId) =>
    vaultWith({ appRole: { roleId, secretRef: { name: 'approle' } } }),
  ),
  ...textRows('spec.vault.auth.jwt.serviceAccountRef.audience', (audience) =>
    vaultWith({ jwt: { role: 'client', serviceAccountRef: { name: 'login', audience } } }),
  ),
  ...textRows('spec.vault.auth.aws.credentials.serviceAccountRef.audience', (audience) =>
    vaultWith({ aws: { role: 'client', credentials: { serviceAccountRef: { ...awsRole, audience } } } }),
  ),
  ...textRows('spec.stepCA.provisioner.name', provisioner),
  ...textRows('spec.awsPrivateCA.auth.serviceAccountRef.audience', (audience) => awsWith({ ...awsRole, audience })),
];
