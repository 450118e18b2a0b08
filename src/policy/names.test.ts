import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NameField } from '../api/issuance-policy.ts';
import type { Fill } from './glob.ts';
import { comparedValue, readPattern } from './names.ts';

const FILL: Fill = {
  namespace: 'team',
  name: 'client',
  labels: new Map([
    ['tier', 'Gold'],
    ['empty', ''],
  ]),
};

const fits = (field: NameField, pattern: string, value: string, fill = FILL) => {
  const { only, matches } = readPattern(field, pattern);
  const compared = comparedValue(field, value);
  return only === undefined ? matches(compared, fill) : only === compared.text;
};

const MATCHES: Readonly<Record<string, readonly (readonly [pattern: string, value: string, fits: boolean])[]>> = {
  commonNames: [
    ['client', 'client', true],
    ['client', 'Client', false],
    ['client', 'client ', false],
    ['*', 'a-B_9', true],
    ['*', '', false],
    ['*', 'a.b', false],
    ['*', 'é', false],
    ['*', 'system:x', false],
    ['{namespace}-*', 'team-a', true],
    ['{namespace}-*', 'team-', false],
    ['{namespace}-*', 'teams-a', false],
    ['{name}.{namespace}', 'client.team', true],
    ["{namespace.labels['tier']}-*", 'Gold-1', true],
    ["{namespace.labels['tier']}-*", 'gold-1', false],
    ["{namespace.labels['empty']}x", 'x', false],
    ["{namespace.labels['constructor']}", 'x', false],
    ['[*]', '*', true],
    ['[*]', 'a', false],
    ['a*a', 'aa', false],
    ['a*a', 'aaa', true],
    ['*a*b', 'xaab', true],
    ['\u00e9', 'e\u0301', false],
  ],
  dnsNames: [
    ['*.example.com', 'a.example.com', true],
    ['*.example.com', 'A.Example.COM', true],
    ['*.Example.com', 'a.example.com', true],
    ['*.example.com', 'a.b.example.com', false],
    ['*.example.com', '.example.com', false],
    ['*.example.com', '*.example.com', false],
    ['[*].example.com', '*.example.com', true],
    ['[*].example.com', 'a.example.com', false],
    ['example.com', 'example.com.', true],
    ['example.com', 'example.com.evil', false],
    ['*.{namespace}.svc', 'web.team.svc', true],
    ['*.{namespace}.svc', 'web.other.svc', false],
    ["{namespace.labels['tier']}.svc", 'gold.svc', true],
    ['*', 'xn--bcher-kva', true],
    ['*', 'bücher', false],
  ],
  uris: [
    ['spiffe://example.com/ns/{namespace}/sa/*', 'spiffe://example.com/ns/team/sa/web', true],
    ['spiffe://example.com/ns/{namespace}/sa/*', 'spiffe://example.com/ns/team/sa/web/admin', false],
    ['spiffe://example.com/ns/{namespace}/sa/*', 'spiffe://example.com/ns/other/sa/web', false],
    ['spiffe://example.com/ns/{namespace}/sa/*', 'spiffe://example.com/ns/team/sa/%2e%2e', false],
    ['https://*.example.com/a', 'https://x.example.com/a', true],
    ['https://*.example.com/a', 'https://x.y.example.com/a', false],
    ['https://*.example.com/a', 'https://evil.com/x.example.com/a', false],
    ['https://*.example.com/a', 'https://evil.com?x.example.com/a', false],
    ['https://*.example.com/a', 'https://x@x.example.com/a', false],
    ['urn:device:*', 'urn:device:7', true],
    ['urn:device:*', 'urn:device:7:8', false],
    ['urn:device:*', 'urn:device:a%2Fb', false],
    ['https://a/*', 'https://a/b?c', false],
    ['https://a/*', 'https://a/b#c', false],
    ['https://A/b', 'https://a/b', true],
  ],
  emailAddresses: [
    ['*@example.com', 'a.b+c@example.com', true],
    ['*@example.com', 'a@EXAMPLE.com', true],
    ['*@example.com', 'a@mail.example.com', false],
    ['*@*.example.com', 'a@mail.example.com', true],
    ['ops@example.com', 'OPS@example.com', false],
    ['*@example.com', 'a!b@example.com', false],
  ],
  ipAddresses: [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::/0', '192.0.2.7', false],
    ['0.0.0.0/0', '::1', false],
    ['2001:DB8::7', '2001:db8:0:0::7', true],
  ],
};

for (const [field, rows] of Object.entries(MATCHES))
  for (const [pattern, value, isFit] of rows)
    test(`${field}: ${pattern} ${isFit ? 'allows' : 'does not allow'} ${JSON.stringify(value)}`, () =>
      assert.is(fits(field as NameField, pattern, value), isFit));

for (const [field, around, isFit] of [
  ['commonNames', (name: string) => `${name}.example.com`, true],
  ['uris', (name: string) => `https://a/${name}`, true],
  ['emailAddresses', (name: string) => `${name}@example.com`, true],
  ['dnsNames', (name: string) => `${name}.example.com`, false],
  ['dnsNames', (name: string) => `*.x-${name}.example.com`.replace('*', name === 'api.pay' ? 'a' : '*'), false],
  ['uris', (name: string) => `https://${name}.example.com/`, false],
  ['emailAddresses', (name: string) => `a@${name}.example.com`, false],
] as const)
  for (const placeholder of ['{name}', "{namespace.labels['zone']}"])
    test(`${field}: ${around(placeholder)} ${isFit ? 'allows' : 'does not allow'} what has a dot`, () => {
      const fill = { namespace: 'team', name: 'api.pay', labels: new Map([['zone', 'api.pay']]) };
      assert.is(fits(field, around(placeholder), around('api.pay'), fill), isFit);
    });

for (const [field, pattern] of [
  ['commonNames', '{nmaespace}'],
  ['commonNames', 'a{'],
  ['commonNames', "{namespace.labels['']}"],
  ['commonNames', '\uE000'],
  ['ipAddresses', '10.0.0.0/33'],
  ['ipAddresses', '10.0.0.0/'],
  ['ipAddresses', '10.0.0.0/8/8'],
  ['ipAddresses', '::ffff:10.0.0.0/90'],
  ['ipAddresses', 'fe80::1%eth0'],
  ['ipAddresses', '*'],
] as const)
  test(`${field}: ${JSON.stringify(pattern)} can't be read`, () =>
    assert.throws(() => readPattern(field, pattern), /^its? /));

/** The same by a regular expression that is made of the glob, with a wildcard of this class. */
function byRegularExpression(pattern: string, wildcard: string): RegExp {
  const parts = pattern.split(/(\[\*\]|\*|\{namespace\}|\{name\})/);
  const source = parts.map((part) => {
    if (part === '*') return `[${wildcard}]+`;
    if (part === '[*]') return '\\*';
    const text = part === '{namespace}' ? FILL.namespace : part === '{name}' ? FILL.name : part;
    return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`);
}

const ORACLES = [
  { field: 'commonNames', wildcard: 'A-Za-z0-9_-', alphabet: ['a', 'b', 'A', '-', '.', ':', 'é'] },
  { field: 'dnsNames', wildcard: 'a-z0-9_-', alphabet: ['a', 'b', '-', '.'] },
] as const;

for (const { field, wildcard, alphabet } of ORACLES)
  test(`${field}: random patterns fit what regular expressions made of them fit`, () => {
    const piece = fc.constantFrom(...alphabet, '*', '*', '[*]', '{namespace}', '{name}');
    const character = fc.constantFrom(...alphabet, ...alphabet, '*', 'team', 'client');
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 8 }),
        fc.array(character, { minLength: 1, maxLength: 12 }),
        (pieces, characters) => {
          const [pattern, value] = [pieces.join(''), characters.join('')];
          const canonical = comparedValue(field, value).text;
          const shape = field === 'dnsNames' ? pattern.replace(/\.$/, '') : pattern;
          assert.is(fits(field, pattern, value), byRegularExpression(shape, wildcard).test(canonical));
        },
      ),
      { numRuns: 20_000 },
    );
  });

test('uris: random patterns fit what regular expressions made of them fit', () => {
  const host = fc.array(fc.constantFrom('a', 'b', '.', '*', '{namespace}'), { minLength: 1, maxLength: 5 });
  const path = fc.array(fc.constantFrom('a', 'B', '.', '/', '*', '{name}', '~'), { maxLength: 6 });
  const asHost = fc.array(fc.constantFrom('a', 'b', '.', 'team'), { minLength: 1, maxLength: 6 });
  const asPath = fc.array(fc.constantFrom('a', 'B', '.', '/', 'client', '~', '%2F', ':'), { maxLength: 8 });
  fc.assert(
    fc.property(host, path, asHost, asPath, (...parts) => {
      const [h = '', p = '', vh = '', vp = ''] = parts.map((each) => each.join(''));
      const [pattern, value] = [`x://${h}/${p}`, `x://${vh}/${vp}`];
      // Dot segments are removed from a pattern as from a value, which the expressions know nothing of.
      fc.pre(comparedValue('uris', value).text === value && !/(^|[/])[.]{1,2}([/]|$)/.test(`/${p}`));
      const [hostPart, pathPart] = [byRegularExpression(h, 'a-z0-9_-'), byRegularExpression(`/${p}`, 'A-Za-z0-9._~-')];
      assert.is(fits('uris', pattern, value), hostPart.test(vh) && pathPart.test(`/${vp}`));
    }),
    { numRuns: 20_000 },
  );
});

const PYTHON = `
import ipaddress, json, sys
for line in sys.stdin:
    network, address = json.loads(line)
    n = ipaddress.ip_network(network, strict=False)
    a = ipaddress.ip_address(address)
    print(a.version == n.version and a in n)
`;

test('ipAddresses: random ranges hold what Python says they hold', () => {
  const v4 = fc.ipV4();
  const v6 = fc
    .array(fc.constantFrom('0', 'ffff', '1', '8000'), { minLength: 8, maxLength: 8 })
    .map((all) => all.join(':'));
  const one = fc.oneof(
    fc.tuple(v4, fc.integer({ min: 0, max: 32 }), v4),
    fc.tuple(v6, fc.integer({ min: 0, max: 128 }), v6),
    fc.tuple(v4, fc.integer({ min: 0, max: 32 }), v6),
  );
  const isMapped = (text: string) => /^0:0:0:0:0:ffff:/.test(text);
  const rows = fc
    .sample(one, 2_000)
    .filter(([range, , address]) => !isMapped(range) && !isMapped(address))
    .map(([range, length, address]) => [`${range}/${length}`, address] as const);
  const answers = execFileSync('python3', ['-c', PYTHON], { input: rows.map((row) => JSON.stringify(row)).join('\n') });
  const expected = String(answers).trim().split('\n');
  for (const [index, [range, address]] of rows.entries())
    assert.is(fits('ipAddresses', range, address) ? 'True' : 'False', expected[index], `${range} ${address}`);
});

test.run();
