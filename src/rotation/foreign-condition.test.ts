import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pairOf, root } from '../../test/pki/make.ts';
import { aGeneration, generationSecret } from '../../test/unit/a-generation.ts';
import { foreignCondition } from './foreign-condition.ts';

const pair = pairOf(await root());
const aForeign = (version: number) => generationSecret(aGeneration(version, 'Active', pair, { mark: 'none' }));

test('where all generations are its own, an authority says nothing of others', () => {
  assert.equal(foreignCondition([]), []);
});

test('the condition has the fingerprint, and the commands that show and delete the Secret', () => {
  const [{ type, status, message } = { type: '', status: '', message: '' }] = foreignCondition([aForeign(7)]);
  assert.equal([type, status], ['ForeignGeneration', 'True']);
  assert.match(message, `Secret ns/ca-ca-v7 (SHA-256 ${pair.certificate.fingerprintSHA256})`);
  assert.match(message, 'kubectl describe secrets --namespace ns ca-ca-v7;');
  assert.ok(message.endsWith('kubectl delete secrets --namespace ns ca-ca-v7'), message);
});

test('the newest three are named in one order, whatever the order in which they are known', () => {
  const [one, two] = [
    [4, 1, 3, 2],
    [1, 2, 3, 4],
  ].map((versions) => foreignCondition(versions.map(aForeign)));
  assert.equal(one, two);
  assert.match(one?.[0]?.message ?? '', 'and 1 more');
  assert.match(one?.[0]?.message ?? '', '--namespace ns ca-ca-v4 ca-ca-v3 ca-ca-v2;');
});

test('a foreign generation that cannot be read is reported without a fingerprint', () => {
  const unreadable = { ...aForeign(7), generation: undefined, problem: 'no certificate' };
  assert.match(foreignCondition([unreadable])[0]?.message ?? '', 'Secret ns/ca-ca-v7 (unreadable)');
});

test.run();
