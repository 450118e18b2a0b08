import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isBrokenAuthority, parseCertificateAuthority } from './certificate-authority.ts';
import { isBroken, parseClientCertificate } from './client-certificate.ts';
import { unwritableProblem } from './unwritable.ts';

const BAD: readonly (readonly [text: string, name: string])[] = [
  ['\x00', 'U+0000'],
  ['\x1b', 'U+001B'],
  ['\x7f', 'U+007F'],
  ['\x80', 'U+0080'],
  ['\x85', 'U+0085'],
  ['\x9f', 'U+009F'],
  ['\u2028', 'U+2028'],
  ['\u2029', 'U+2029'],
  ['\ufffe', 'U+FFFE'],
  ['\uffff', 'U+FFFF'],
  ['\ud83d', 'U+D83D'],
  ['\udd11', 'U+DD11'],
];
/** The nearest ones that can be written, and what names in other scripts need. */
const GOOD = ['~', '\xa0', '\u2027', '\u202f', '\ufffd', '\u{1f511}', 'größer als 日本', 'نرم\u200cافزار', '\u{2ebf0}'];

function certificate(spec: object) {
  const object = { spec: { authorityRef: { name: 'ca' }, secretName: 'a-tls', commonName: 'a', ...spec } };
  return parseClientCertificate({ metadata: { namespace: 'shop', name: 'a' }, ...object });
}

function problemOf(spec: object): string | undefined {
  const parsed = certificate(spec);
  return isBroken(parsed) ? parsed.problem : undefined;
}

for (const [text, name] of BAD) {
  test(`a stored ClientCertificate with ${name} is broken, and the problem names field and character`, () => {
    const value = `a${text}b`;
    for (const [spec, field] of [
      [{ commonName: value }, 'commonName'],
      [{ subject: { organizations: ['x', value] } }, 'subject.organizations.1'],
      [{ subject: { streetAddresses: [value] } }, 'subject.streetAddresses.0'],
      [{ secretTemplate: { annotations: { team: value } } }, 'secretTemplate.annotations.team'],
    ] as const)
      assert.ok(problemOf(spec)?.startsWith(`spec.${field} holds ${name};`), `${field}: ${problemOf(spec)}`);
  });
}

test('a text that YAML carries is accepted in the same fields', () => {
  for (const text of GOOD) {
    const value = `a${text}b`;
    const subject = { organizations: ['x', value], streetAddresses: [value] };
    const spec = { commonName: value, subject, secretTemplate: { annotations: { team: `${value}\t\r\n` } } };
    assert.is(problemOf(spec), undefined, JSON.stringify(text));
  }
});

test('an authority with such a character is broken, except for the text around the PEM blocks of a trust bundle', () => {
  const vault = (roleId: string, inline: string) => ({
    vault: {
      server: 'https://vault.example.com',
      role: 'client',
      auth: { appRole: { roleId, secretRef: { name: 'role' } } },
      trustBundle: { inline },
    },
  });
  const parsed = parseCertificateAuthority('CertificateAuthority', { spec: vault('a\x85b', 'x') });
  assert.match('problem' in parsed ? parsed.problem : '', /^spec\.vault\.auth\.appRole\.roleId holds U\+0085;/);
  const good = parseCertificateAuthority('CertificateAuthority', { spec: vault('a b', '\ufeff# \x85') });
  assert.is(isBrokenAuthority(good), false);
});

test('a spec that is nested without end is not followed', () => {
  let spec: unknown = '\x85';
  for (let depth = 0; depth < 100_000; depth += 1) spec = [spec];
  assert.is(unwritableProblem(spec), undefined);
});

test.run();
