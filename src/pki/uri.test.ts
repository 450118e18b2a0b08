import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuMs } from '../../test/unit/cpu.ts';
import { uriProblem } from './uri.ts';

// What Go says of many more is asked in test/e2e/crds/readers.test.ts.

test('URIs of every form are taken', () => {
  const uris = [
    'spiffe://prod.example.com/ns/a_b/sa/Client-1.2',
    'http://user:pass@a.b-c_d:65535/x//y%2Fz?a=b&c=/?#/?',
    'https://[2001:db8::7]:8443/',
    'https://192.0.2.7',
    'file:///etc/x',
    'urn:isbn:0451450523',
    'mailto:a@example.com',
    `https://${'a'.repeat(63)}.example/`,
  ];
  for (const uri of uris) assert.is(uriProblem(uri), undefined, uri);
});

test('a URI that a reader could not parse is refused with what is wrong', () => {
  const cases: readonly [uri: string, problem: string][] = [
    ['example.com/x', 'is no absolute URI in ASCII'],
    ['http://a/ü', 'is no absolute URI in ASCII'],
    ['http://[', 'is no URI as RFC 3986 has it'],
    ['http://a/%4', 'is no URI as RFC 3986 has it'],
    ['http://a/#b#c', 'is no URI as RFC 3986 has it'],
    ['http://a:b/', 'is no URI as RFC 3986 has it'],
    ['http://', 'is no URI as RFC 3986 has it'],
    ['spiffe://a..b/x', 'has the host a..b, which is no domain'],
    [`http://${'a'.repeat(64)}`, `has the host ${'a'.repeat(64)}, which is no domain`],
    [`http://${'a.'.repeat(127)}b`, `has the host ${'a.'.repeat(127)}b, which is no domain`],
    ['http://[1.2.3.4]/', 'has the host [1.2.3.4], which is no IPv6 address'],
    ['http://[::ffff:192.0.2.7]/', 'has the host [::ffff:192.0.2.7], which is no IPv6 address'],
    ['http://[fe80::1%25eth0]/', 'has the host [fe80::1%25eth0], which is no IPv6 address'],
  ];
  for (const [uri, problem] of cases) assert.is(uriProblem(uri), problem);
});

test('no text makes the check slow', () => {
  for (const unit of ['a', 'a.', 'a-', '%41', '@', ':', 'a:', '/', '?', '[', 'a@', '-'])
    for (const start of ['a:', 'a://', 'a://[', 'a:/']) {
      const text = `${start}${unit.repeat(2000 / unit.length)}"`.slice(0, 2048).replace(/"$/, ']');
      const ms = cpuMs(() => uriProblem(text));
      assert.ok(ms < 20, `${start}${unit}: ${ms} ms`);
    }
});

test.run();
