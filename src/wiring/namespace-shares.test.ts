import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_RECORD } from '../certificate/secret/record.ts';
import { parseCommandLine } from '../config.ts';
import { sharesOf } from './namespace-shares.ts';

test('an object that says nothing takes of the share what its place in the cache takes', () => {
  const command = parseCommandLine([], {}, false);
  assert.not('print' in command);
  const { secrets, authorities } = sharesOf('print' in command ? ({} as never) : command.config);
  assert.ok(secrets.weigh(NO_RECORD) >= 400, `${secrets.weigh(NO_RECORD)} bytes`);
  // These are counted, not weighed.
  assert.is(authorities.weigh({} as never), 1);
});

test.run();
