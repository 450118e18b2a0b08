import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AuthorityError } from '../../errors.ts';
import type { CloudflareApi } from './api.ts';
import { keepHostnames } from './hostnames.ts';

const { signal } = new AbortController();
const ZONE = '023e105f4ecef8ad9ca31a8372d0c353';

/** What is logged where a server lists these hostnames. */
async function loggedFor(hostnames: readonly string[], owns = true) {
  const logged: Readonly<Record<string, unknown>>[] = [];
  const info = (_message: string, fields = {}) => void logged.push(fields);
  const log = { debug() {}, info, warn() {}, error() {} };
  const api: Pick<CloudflareApi, 'get' | 'server'> = {
    server: 'https://api.example',
    get: async () => ({ result: { hostnames }, info: {} }),
  };
  await keepHostnames(
    api as CloudflareApi,
    { zone: ZONE, hostnames: ['a.example'] },
    { log, name: 'shop/ca', owns: () => owns },
    signal,
  );
  return logged;
}

test('what a server lists as hostnames is logged in one line of bounded length', async () => {
  for (const listed of [Array(1_000).fill('x'.repeat(253)), ['a\nb\u001b[2J']]) {
    const [fields] = await loggedFor(listed);
    assert.ok(JSON.stringify(fields).length < 2_000);
    assert.not.match(String(fields?.before), /[\p{Cc}]/u);
  }
  assert.equal(await loggedFor(['A.example']), []);
  assert.equal(await loggedFor(['b.example'], false), [], 'another replica has the authority');
});

test('more hostnames than a zone has, or longer ones, are refused, since they would be kept', async () => {
  for (const listed of [Array(1_001).fill('x'), ['x'.repeat(254)]]) {
    const error = await loggedFor(listed).catch((thrown: unknown) => thrown);
    assert.is((error as AuthorityError).code, 'InvalidAnswer');
  }
});

test.run();
