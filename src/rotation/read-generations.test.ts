import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NOW, pairOf, root } from '../../test/pki/make.ts';
import { aGeneration, generationSecret } from '../../test/unit/a-generation.ts';
import type { GenerationSecret } from './generation-secret.ts';
import { readGenerations } from './read-generations.ts';

const pair = pairOf(await root());

/** A Secret that records when its pair is read. */
function aSecret(version: number, onRead: () => void): GenerationSecret {
  const kept = generationSecret(aGeneration(version, 'Retiring', pair));
  let isRead = false;
  return {
    ...kept,
    get isRead() {
      return isRead;
    },
    get generation() {
      if (!isRead) onRead();
      isRead = true;
      return kept.generation;
    },
  };
}

test('between two pairs that are read, other work of the event loop gets its turn', async () => {
  const order: string[] = [];
  const other = () => {
    order.push('other');
    if (order.length < 20) setImmediate(other);
  };
  const stored = [1, 2, 3].map((version) => aSecret(version, () => order.push('read')));
  setImmediate(other);
  await readGenerations(stored, NOW);
  const reads = order.flatMap((each, at) => (each === 'read' ? [at] : []));
  assert.is(reads.length, 3);
  for (const [at, index] of reads.entries()) assert.ok(at === 0 || index > (reads[at - 1] ?? 0) + 1, order.join(' '));
});

test('of too many Secrets only the newest are read, in the order that they have, and the authority says so', async () => {
  const read: number[] = [];
  const stored = [4, 1, 3, 2].map((version) => aSecret(version, () => read.push(version)));
  const { generations, problem } = await readGenerations(stored, NOW, 2);
  assert.equal(read, [4, 3]);
  assert.equal(
    generations.map(({ version }) => version),
    [4, 3],
  );
  assert.match(problem ?? '', '4 Secrets claim to be its CA generations, and the 2 newest are read');
});

test('of few Secrets all are read, without a problem', async () => {
  const stored = [2, 1].map((version) => aSecret(version, () => {}));
  const { generations, problem } = await readGenerations(stored, NOW);
  assert.is(generations.length, 2);
  assert.is(problem, undefined);
});

test.run();
