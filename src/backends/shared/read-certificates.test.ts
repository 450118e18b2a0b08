import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../../test/pki/make.ts';
import { readCertificates } from './read-certificates.ts';

const { certificate } = await root();
const read = (texts: readonly string[], most?: number) =>
  readCertificates(texts, (why) => new Error(`refused: ${why}`), most);

test('what stands in one text or in several is one list', () => {
  assert.equal(read([certificate.pem, `${certificate.pem}${certificate.pem}`]).length, 3);
  // Some servers leave the last newline out.
  assert.equal(read([certificate.pem.trim(), certificate.pem.trim()]).length, 2);
  assert.equal(read([]), []);
});

test('too many certificates, or certificates that are too long together, are refused before they are parsed', () => {
  const many = (count: number) => Array.from({ length: count }, () => certificate.pem);
  assert.is(read(many(10)).length, 10);
  assert.throws(() => read(many(11)), /refused: 11 certificates; at most 10 are read/);
  assert.is(read(many(11), 32).length, 11);
  assert.throws(() => read(many(1_000)), /PEM over 100000 bytes/);
  // Not even the first one is: it is no certificate.
  assert.throws(() => read(Array(11).fill('-----BEGIN X-----\nAA==\n-----END X-----')), /at most 10/);
});

test.run();
