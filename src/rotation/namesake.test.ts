import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Holder,
  hoursFromNow,
  leaf,
  NOW,
  pairOf,
  renewedRoot,
  root,
  signIntermediate,
} from '../../test/pki/make.ts';
import { openssl } from '../../test/pki/openssl.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import type { CaPair } from '../pki/ca.ts';
import type { Generation } from './generation.ts';
import { namesakeProblem } from './namesake.ts';

function generation(pair: CaPair): Generation {
  return aGeneration(1, 'Active', pair);
}

const withoutKeyId = (holder: Holder) => renewedRoot(holder, { hasKeyId: false });

/** Whether OpenSSL accepts a client of each while it trusts both, whatever the order in the file. */
async function toldApart(one: Holder, other: Holder): Promise<boolean> {
  const verdicts: boolean[] = [];
  for (const signer of [one, other]) {
    const { certificate } = await leaf(signer);
    for (const [first, second] of [[one, other] as const, [other, one] as const]) {
      const files = { both: first.certificate.pem + second.certificate.pem, leaf: certificate.pem };
      const at = String(NOW.getTime() / 1000);
      verdicts.push(openssl(['verify', '-attime', at, '-CAfile', '{both}', '{leaf}'], files).ok);
    }
  }
  return verdicts.every(Boolean);
}

const [old, next] = [await root(), await root({ notAfter: hoursFromNow(900) })];
const otherLetters = await root({ commonName: 'TEST  ca V1' });

test('a new CA of the same name and another key is refused exactly where OpenSSL mistakes it for the old one', async () => {
  const cases: [Holder, Holder][] = [
    [old, next],
    [withoutKeyId(old), next],
    [old, withoutKeyId(next)],
    [withoutKeyId(old), withoutKeyId(next)],
    [old, otherLetters],
    [withoutKeyId(old), withoutKeyId(otherLetters)],
  ];
  const verdicts: (boolean | undefined)[] = [];
  for (const [one, other] of cases) {
    const problem = namesakeProblem(pairOf(other), [generation(pairOf(one))]);
    verdicts.push(await toldApart(one, other));
    assert.is(problem === undefined, verdicts.at(-1), problem);
  }
  assert.ok(verdicts.includes(true) && verdicts.includes(false));
});

test('a renewed CA of the same key, another name, and a pair that is a generation already are no namesakes', async () => {
  const bare = withoutKeyId(old);
  assert.is(namesakeProblem(pairOf(withoutKeyId(old)), [generation(pairOf(bare))]), undefined);
  assert.is(namesakeProblem(pairOf(await root({ commonName: 'Other' })), [generation(pairOf(bare))]), undefined);
  const both = [generation(pairOf(bare)), generation(pairOf(withoutKeyId(next)))];
  for (const { path } of both) assert.is(namesakeProblem(path, both), undefined);
});

test('a root that OpenSSL mistakes for an intermediate of the other CA is refused, whichever of the two is new', async () => {
  const top = await root({ commonName: 'Top' });
  const below = await signIntermediate(top);
  const namesake = withoutKeyId({ certificate: below.certificate, key: next.key });
  const { certificate } = await leaf(below);
  const files = { both: top.certificate.pem + namesake.certificate.pem, below: below.certificate.pem };
  const at = String(NOW.getTime() / 1000);
  const args = ['verify', '-attime', at, '-CAfile', '{both}', '-untrusted', '{below}', '{leaf}'];
  assert.not.ok(openssl(args, { ...files, leaf: certificate.pem }).ok);

  const [chain, single] = [pairOf(below, top), pairOf(namesake)];
  assert.match(
    namesakeProblem(single, [generation(chain)]) ?? '',
    /Test Intermediate has the name of a CA of generation 1/,
  );
  assert.match(
    namesakeProblem(chain, [generation(single)]) ?? '',
    /Test Intermediate has the name of a CA of generation 1/,
  );
});

test('intermediates of one name below two roots are no namesakes, since each client sends its own', async () => {
  const [one, other] = [await root({ commonName: 'Top' }), await root({ commonName: 'Other top' })];
  const [below, beside] = [await signIntermediate(one), await signIntermediate(other)];
  assert.is(namesakeProblem(pairOf(below, one), [generation(pairOf(beside, other))]), undefined);
});

test.run();
