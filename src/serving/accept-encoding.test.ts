import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { prefersGzip } from './accept-encoding.ts';

const HEADERS: Record<string, boolean> = {
  gzip: true,
  'gzip, deflate, br': true,
  'br;q=1.0, gzip;q=0.8, *;q=0.1': true,
  GZIP: true,
  'x-gzip': true,
  '*': true,
  'gzip ; q=0.001': true,
  'gzip;q=0.5, identity;q=0.5': true,
  '': false,
  identity: false,
  'br, deflate': false,
  'gzip;q=0': false,
  'gzip;q=0.000, *': false,
  '*;q=0': false,
  'gzip;q=0.5, identity': false,
  'gzip;q=many': false,
  'gzipped, not-gzip': false,
  'gzip gzip': false,
};

for (const [header, expected] of Object.entries(HEADERS)) {
  test(`Accept-Encoding: ${header} is ${expected ? '' : 'not '}answered with gzip`, () =>
    assert.is(prefersGzip(header), expected));
}

test('without the header the answer is not compressed', () => assert.is(prefersGzip(undefined), false));

test.run();
