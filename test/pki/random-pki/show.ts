/**
 * Prints a random PKI, what Certwheel and the verifiers say of it, and how to look at it by hand:
 * `node test/pki/random-pki/show.ts SEED [FEATURE,FEATURE...]`.
 */
import { generateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import { P256 } from '../make.ts';
import { startJudges } from '../verifiers/judges.ts';
import { describeCase } from './describe.ts';
import { examine } from './examine.ts';
import { drawFeatures } from './features.ts';
import { randomMaterial } from './material.ts';

const [seedText, featuresText] = process.argv.slice(2);
const seed = Number(seedText);
if (seedText === undefined || !Number.isInteger(seed)) {
  console.error('usage: node test/pki/random-pki/show.ts SEED [FEATURE,FEATURE...]');
  process.exit(1);
}
const features = featuresText === undefined ? drawFeatures(seed) : featuresText.split(',').filter(Boolean);
const judges = await startJudges();
try {
  const material = await randomMaterial(seed, features);
  const leafPublicKey = publicKeyDer(await generateKey(P256));
  const { ready, disagreement, exception } = await examine(judges, material, leafPublicKey);
  console.log(
    `## Certwheel: ${ready ? 'ready' : 'refused'}${exception === undefined ? '' : `, exception: ${exception}`}`,
  );
  console.log(describeCase({ seed, features, material, disagreement }));
} finally {
  await judges.stop();
}
