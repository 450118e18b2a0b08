import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { parsePrivateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { isSelfSigned } from '../../../src/pki/signed-by.ts';
import type { Judges } from '../verifiers/judges.ts';
import { describeCase } from './describe.ts';
import { shownOf } from './examine.ts';
import { drawFeatures, planOf } from './features.ts';
import { hunt } from './hunt.ts';
import { randomMaterial } from './material.ts';
import { pathsOf } from './paths.ts';
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

function judgesOf(openssl: string | null): Judges {
  return {
    judge: async () => ({ openssl, opensslStrict: openssl, go: null, java: null }),
    stop: async () => {},
  };
}

test('a verifier that refuses everything disagrees, and the plainest PKI shows it', async () => {
  const { count, ready, good, groups } = await hunt(judgesOf('no'), { seed: 1, count: 60 });
  assert.is(count, 60);
  assert.ok(ready > 0);
  assert.is(good, 0);
  assert.is(groups.size, 1);
  for (const { count: times, smallest } of groups.values()) {
    assert.is(times, ready);
    assert.equal(smallest.features, []);
    assert.equal(smallest.disagreement?.reasons, ['openssl: no']);
  }
});

test('verifiers that accept everything disagree with every refusal of a PKI that has a path', async () => {
  const { ready, good, groups, exceptions } = await hunt(judgesOf(null), { seed: 1, count: 60 });
  // Others are PKIs that are ready with strict flaws, which these verifiers don't see.
  const refusals = [...groups.values()].filter(
    ({ smallest }) => smallest.disagreement?.kind === 'refused, but verifiers accept',
  );
  const sum = (counts: readonly number[]) => counts.reduce((so, each) => so + each, 0);
  const refused = sum(refusals.map(({ count }) => count));
  assert.ok(refused > 0);
  assert.is(ready + refused + sum([...exceptions.values()]), good);
});

test('the printed case is a script that shows what openssl says', async () => {
  const material = await randomMaterial(1, ['depth 1', 'depth 2']);
  const [path] = pathsOf(material, publicKeyDer(parsePrivateKey(material.tlsKey)));
  assert.ok(path);
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-case-'));
  try {
    const disagreement = {
      kind: 'refused, but verifiers accept',
      reasons: ['a reason'],
      shown: shownOf(path, path.leaf([])),
    } as const;
    const script = describeCase({ seed: 1, features: [], material, disagreement });
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' });
    assert.is(stderr, '');
    assert.match(stdout, /^leaf\.pem: OK$/m);
    assert.is(stdout.match(/Subject: O ?= ?Certwheel, CN ?= ?Intermediate 2$/gm)?.length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
