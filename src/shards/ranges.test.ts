import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fnv1a64 } from './hash.ts';
import { placeOf, rangeOf } from './ranges.ts';

function hex(text: string): string {
  const { high, low } = fnv1a64(text);
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('');
}

/** The slow and plain way. */
function byBigInt(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).padStart(16, '0');
}

test('the hash is FNV-1a of 64 bits, by the vectors of its authors', () => {
  assert.is(hex(''), 'cbf29ce484222325');
  assert.is(hex('a'), 'af63dc4c8601ec8c');
  assert.is(hex('foobar'), '85944171f73967e8');
});

test('the hash in halves is the hash in one piece', () => {
  for (let each = 0; each < 2_000; each++) assert.is(hex(`tenant-${each}-ü`), byBigInt(`tenant-${each}-ü`));
});

/** How people name namespaces: what differs is at the end, in front, or in the middle. */
const SCHEMES: readonly ((each: number) => string)[] = [
  (each) => `team-${each}`,
  (each) => `team-${String(each).padStart(4, '0')}`,
  (each) => `${each}-prod`,
  (each) => `app-${each}-dev`,
];

test('however namespaces are named, each range has its share of them', () => {
  for (const nameOf of SCHEMES)
    for (const count of [1, 3, 64, 100, 256]) {
      const sizes = Array.from({ length: count }, () => 0);
      for (let each = 0; each < 200 * count; each++) {
        const range = rangeOf(nameOf(each), count);
        sizes[range] = (sizes[range] ?? Number.NaN) + 1;
      }
      for (const size of sizes) assert.ok(size > 130 && size < 270, `${nameOf(0)}: ${size} of 200 in ${count} ranges`);
    }
});

test('what belongs to a namespace is placed by it, an authority of the cluster and a Secret of the controller by themselves', () => {
  assert.is(placeOf('shop/web'), 'shop');
  assert.is(placeOf('CertificateAuthority/shop/ca'), 'shop');
  assert.is(placeOf('CertificateAuthority/shop/ca#nginx'), 'shop');
  assert.is(placeOf('ClusterCertificateAuthority/ca'), 'ClusterCertificateAuthority/ca');
  assert.is(placeOf('ClusterCertificateAuthority/ca#nginx'), 'ClusterCertificateAuthority/ca');
  assert.is(placeOf('certwheel-books'), 'certwheel-books');
});

test.run();
