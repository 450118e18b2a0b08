import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readValues } from './helm-values.ts';

test('a value has the comment above it, and its schema apart', () => {
  const [image] = readValues(`image:
  # When it is pulled,
  # if at all.
  # @schema {enum: [Always, Never]}
  pullPolicy: Always
`);
  assert.equal(image?.children, [
    {
      path: 'image.pullPolicy',
      standard: 'Always',
      description: 'When it is pulled, if at all.',
      annotation: { enum: ['Always', 'Never'] },
      children: undefined,
    },
  ]);
});

test('what has a schema of its own is one value, whatever is in it', () => {
  const [resources] = readValues('# Memory.\n# @schema resources\nresources:\n  limits:\n    memory: 1Gi\n');
  assert.is(resources?.children, undefined);
  assert.equal(resources?.standard, { limits: { memory: '1Gi' } });
});

test('a blank line ends a comment, and a value without one is refused', () => {
  assert.throws(
    () => readValues('# Of the file.\n\nreplicaCount: 2\n'),
    /values.yaml: replicaCount has no comment above it/,
  );
});

test.run();
