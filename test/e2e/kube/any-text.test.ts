import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { newNamespace, secret, standBehindProxy } from './fixture.ts';

const test = suite('any text');
const stand = standBehindProxy(test);

const SEED = 20_261_128;
const MOST = 150;

async function survives(texts: readonly string[]): Promise<void> {
  const { client } = stand.direct;
  const namespace = await newNamespace(client);
  const annotations = Object.fromEntries(texts.map((text, index) => [`text-${index}`, text]));
  await client.apply(SECRETS, secret(namespace, 'a', '1', { annotations }));
  const stored = await client.get(SECRETS, namespace, 'a');
  for (const [index, text] of texts.entries())
    assert.is(stored?.metadata?.annotations?.[`text-${index}`], text.toWellFormed(), JSON.stringify(text));
}

test('each code unit and its neighbours survive an apply, in the middle of a text, at its ends and beside blanks', async () => {
  const edges = [0, 0x7e, 0x7f, 0x80, 0x84, 0x85, 0x86, 0x9f, 0xa0, 0xad, 0x200b, 0x2027, 0x2028, 0x2029, 0x202a];
  const far = [0xd7ff, 0xd83d, 0xdd11, 0xe000, 0xfdd0, 0xfeff, 0xff00, 0xfffd, 0xfffe, 0xffff, 0x1f511, 0x1fffe];
  const controls = Array.from({ length: 0x20 }, (_, code) => code);
  const all = [...edges, ...far, ...controls, 0x10ffff].map((point) => String.fromCodePoint(point));
  await survives(all.flatMap((each) => [`a${each}b`, each, ` ${each} ${each}${each} `]));
});

test('any text survives an apply', async () => {
  const pieces = fc.constantFrom(
    '\\',
    '"',
    '\\u',
    'd83d',
    '\ud83d',
    '\udd11',
    '\x85',
    '\u2028',
    '\ufffe',
    '\n',
    ' ',
    '#',
  );
  const rough = fc.array(pieces, { maxLength: 12 }).map((each) => each.join(''));
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), rough);
  for (const seed of [SEED, SEED + 1, SEED + 2]) await survives(fc.sample(text, { seed, numRuns: MOST }));
});

test.run();
