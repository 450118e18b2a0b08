import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { readCertificates } from './read-certificates.ts';

const { certificate } = await root();

test('what stands in one text or in several is one list', () => {
  assert.equal(readCertificates([certificate.pem, `${certificate.pem}${certificate.pem}`]).length, 3);
  // Some servers leave the last newline out.
  assert.equal(readCertificates([certificate.pem.trim(), certificate.pem.trim()]).length, 2);
  assert.equal(readCertificates([]), []);
});

test('too many, or too long all together, are not looked at', () => {
  const many = (count: number) => Array.from({ length: count }, () => certificate.pem);
  assert.is(readCertificates(many(10)).length, 10);
  assert.throws(() => readCertificates(many(11)), '11 certificates; at most 10 are read');
  assert.is(readCertificates(many(11), 32).length, 11);
  assert.throws(() => readCertificates(many(1_000)), 'PEM over 100000 bytes');
  // Not even the first one is: it is no certificate.
  assert.throws(() => readCertificates(Array(11).fill('-----BEGIN X-----\nAA==\n-----END X-----')), 'at most 10');
});

test.run();
