import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from '../../test/pki/make.ts';
import { JudgedTexts } from './judged-texts.ts';

const [one, two] = [await root({ commonName: 'One' }), await root({ commonName: 'Two' })];
const [first, second] = [one, two].map(({ certificate }) => Buffer.from(certificate.pem)) as [Buffer, Buffer];

function counting(fails = () => false) {
  const parsed: number[] = [];
  const texts = new JudgedTexts(async (bytes, parse) => {
    if (fails()) throw new Error('too many wait');
    parsed.push(bytes);
    return parse();
  });
  return { texts, parsed };
}

test('a text is parsed once until it changes, however many sources name it', async () => {
  const { texts, parsed } = counting();
  for (let pass = 0; pass < 3; pass++) {
    const judge = texts.pass();
    const found = await Promise.all([1, 2, 3].map(() => judge('ConfigMap shop/ca, key ca.crt', first, undefined)));
    assert.is(new Set(found.map(({ certificates }) => certificates[0])).size, 1);
  }
  assert.equal(parsed, [first.length]);
  await texts.pass()('ConfigMap shop/ca, key ca.crt', second, undefined);
  assert.is(parsed.length, 2);
  await texts.pass()('ConfigMap shop/ca, key ca.crt', first, undefined);
  assert.is(parsed.length, 3, 'what the last pass did not ask for is forgotten');
});

test('so is one that is refused, under the name of its place', async () => {
  const { texts, parsed } = counting();
  const refusal = (place: string) =>
    texts
      .pass()(place, Buffer.from('no PEM'), undefined)
      .catch(({ message }) => message);
  const [before, after] = [
    await refusal('ConfigMap shop/ca, key ca.crt'),
    await refusal('ConfigMap shop/ca, key ca.crt'),
  ];
  assert.match(before, 'ConfigMap shop/ca, key ca.crt: ');
  assert.is(after, before);
  assert.is(parsed.length, 1);
  assert.match(await refusal('inline'), /^inline: /);
});

test('one that did not get its turn is asked again', async () => {
  let isFull = true;
  const { texts, parsed } = counting(() => isFull);
  assert.is(
    await texts
      .pass()('inline', first, undefined)
      .catch(({ message }) => message),
    'too many wait',
  );
  isFull = false;
  assert.is((await texts.pass()('inline', first, undefined)).certificates.length, 1);
  assert.is(parsed.length, 1);
});

test.run();
