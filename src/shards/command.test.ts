import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rangeLeaseName } from '../api/shard-names.ts';
import { shardCommand } from './command.ts';
import { placeOf, rangeOf } from './ranges.ts';

test('the command prints the Lease by which the controller goes', () => {
  for (const count of [1, 3, 64, 256])
    for (const namespace of ['shop', 'bank', 'team-07'])
      assert.is(
        shardCommand([namespace, '--shards', String(count)]),
        rangeLeaseName(rangeOf(placeOf(`${namespace}/web`), count)),
      );
  assert.is(shardCommand(['shop']), shardCommand(['shop', '--shards=64']));
});

test('what it does not understand is an error in one line', () => {
  const wrong = [[], ['a', 'b'], ['Shop'], ['shop', '--shards=0'], ['shop', '--count=3']];
  for (const args of wrong)
    assert.throws(
      () => shardCommand(args),
      (error: Error) => !error.message.includes('\n'),
    );
});

test.run();
