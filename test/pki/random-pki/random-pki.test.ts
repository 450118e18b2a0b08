import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { parsePrivateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { isSelfSigned } from '../../../src/pki/signed-by.ts';
import { drawFeatures, planOf } from './features.ts';
import { randomMaterial } from './material.ts';
import { shrink } from './shrink.ts';

const SEEDS = Array.from({ length: 300 }, (_, index) => index);

test('a seed makes the same plan each time', () => {
  for (const seed of SEEDS) assert.equal(planOf(seed, drawFeatures(seed)), planOf(seed, drawFeatures(seed)));
});

test('every feature comes up, and some PKIs have none but a depth', () => {
  const drawn = SEEDS.flatMap((seed) => drawFeatures(seed * 1000));
  assert.ok(new Set(drawn).size > 45, `${new Set(drawn).size}`);
});

test('a PKI with any one feature left out can be made and read', async () => {
  for (const seed of SEEDS.slice(0, 60)) {
    const features = drawFeatures(seed);
    for (const dropped of [undefined, ...features]) {
      const { tlsCrt, caCrt, tlsKey } = await randomMaterial(
        seed,
        features.filter((name) => name !== dropped),
      );
      parseCertificates(`${tlsCrt}${caCrt ?? ''}`);
      assert.ok(publicKeyDer(parsePrivateKey(tlsKey)).length > 0);
    }
  }
});

test('the plainest PKI is one root with its key', async () => {
  const { tlsCrt, caCrt, tlsKey } = await randomMaterial(1, []);
  const [root, ...more] = parseCertificates(tlsCrt);
  assert.is(more.length, 0);
  assert.is(caCrt, tlsCrt);
  assert.ok(
    root !== undefined && isSelfSigned(root) && root.publicKeyDer.equals(publicKeyDer(parsePrivateKey(tlsKey))),
  );
});

test('shrinking leaves what the failure needs and nothing else', async () => {
  const list = Array.from({ length: 12 }, (_, index) => index);
  const fails = async (left: readonly number[]) => left.includes(3) && left.includes(8);
  assert.equal(await shrink(list, fails), [3, 8]);
  // Without 5, the 2 is not needed any more.
  const linked = async (left: readonly number[]) => left.includes(7) && (!left.includes(5) || left.includes(2));
  assert.equal(await shrink(list, linked), [7]);
});

test.run();
