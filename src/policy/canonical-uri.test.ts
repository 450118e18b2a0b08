import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalUri } from './canonical-uri.ts';

const FORMS: Readonly<Record<string, string>> = {
  'spiffe://example.com/ns/team': 'spiffe://example.com/ns/team',
  'SPIFFE://Example.COM/ns/Team': 'spiffe://example.com/ns/Team',
  'https://a/%7euser/%2f%2E%2e/x': 'https://a/~user/%2F../x',
  'https://a/b/../c': 'https://a/c',
  'https://a/b/./c/': 'https://a/b/c/',
  'https://a/b/..': 'https://a/',
  'https://a/../../b': 'https://a/b',
  'https://a/b/%2e%2e/c': 'https://a/c',
  'https://a': 'https://a',
  'https://user@A:443/': 'https://user@a:443/',
  'https://a?x=/../y#%61': 'https://a?x=/../y#a',
  'urn:Device:7': 'urn:Device:7',
  'urn:a/../b': 'urn:a/../b',
  'x:/a/../b': 'x:/b',
  'no uri': 'no uri',
};

for (const [uri, form] of Object.entries(FORMS))
  test(`${uri} is compared as ${form}`, () => assert.is(canonicalUri(uri), form));

const uri = fc.array(fc.constantFrom('a', 'B', '.', '..', '/', '%2e', '%2F', '%41', '?', '#', '~', '@', ':'), {
  maxLength: 12,
});

test('the canonical form of a canonical form is the same', () => {
  fc.assert(
    fc.property(uri, (parts) => {
      const once = canonicalUri(`x://h/${parts.join('')}`);
      assert.is(canonicalUri(once), once);
    }),
    { numRuns: 10_000 },
  );
});

test('the path is what the URL standard makes of it, which also reads %2e as a dot', () => {
  const path = fc.array(fc.constantFrom('a', 'B', '.', '..', '/', '%2e', '%2F', '~'), { maxLength: 10 });
  fc.assert(
    fc.property(path, (parts) => {
      const text = `https://h/${parts.join('')}`;
      assert.is(new URL(canonicalUri(text)).pathname, new URL(canonicalUri(new URL(text).href)).pathname);
      assert.is(new URL(canonicalUri(text)).href, canonicalUri(text));
    }),
    { numRuns: 10_000 },
  );
});

test.run();
