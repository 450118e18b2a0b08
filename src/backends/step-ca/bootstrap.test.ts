import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthorityError } from '../../errors.ts';
import { fetchRoot } from './bootstrap.ts';

// Of addresses that were stored under an older schema, whose pattern they satisfy.
for (const server of ['https://ca.example.com:99999', 'https://[:::]', 'https://256.256.256.256']) {
  test(`the address ${server} is the fault of the authority, not of the controller`, async () => {
    const lookup = () => assert.unreachable('no name is looked up');
    const fetched = fetchRoot(
      server,
      'ab'.repeat(32),
      { rules: { loopback: false }, lookup },
      AbortSignal.timeout(5_000),
    );
    const error = await fetched.catch((reason: unknown) => reason);
    assert.instance(error, AuthorityError);
    assert.is((error as AuthorityError).code, 'AuthorityMisconfigured');
    assert.match((error as AuthorityError).message, /^server must be an https URL/);
  });
}

test.run();
