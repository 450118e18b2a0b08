import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, aSecret, NOW } from '../../test/unit/builders.ts';
import { FakeClock } from '../../test/unit/fake-clock.ts';
import { keyOf } from '../api/parse.ts';
import { authorityOf, isRecord, isView, recordOfView, type SecretKept } from '../certificate/secret/record.ts';
import { dropViews } from './narrow.ts';

/** So many Secrets in each of two namespaces, as a cache keeps them. */
function secretsOf(count: number) {
  const kept = new Map<string, SecretKept>();
  for (const namespace of ['ours', 'theirs'])
    for (let each = 0; each < count; each++) {
      const name = `client-${each}`;
      const resource = aCertificate({ secretName: name })
        .with({ namespace, name, uid: `${namespace}-${name}` })
        .build();
      const view = aSecret(resource, { memory: { authority: 'ClusterCertificateAuthority/ca' } });
      kept.set(keyOf(view), view);
    }
  return {
    kept,
    cache: {
      keys: () => kept.keys(),
      get: (key: string) => kept.get(key),
      revise: (key: string, _version: string, value: SecretKept) => void kept.set(key, value),
    },
  };
}

test('of Secrets in namespaces of others a record is left, which says of a CA rotation what the view said', async () => {
  const { kept, cache } = secretsOf(50);
  const before = new Map(kept);
  const clock = new FakeClock(NOW);
  const dropping = dropViews(cache, (namespace) => namespace === 'ours', clock, new AbortController().signal);
  await clock.advance(1_000);
  await dropping;
  for (const [key, value] of kept) {
    const view = before.get(key);
    if (key.startsWith('ours/')) assert.is(value, view);
    else {
      assert.ok(isRecord(value), key);
      assert.ok(isView(view));
      assert.equal(value, recordOfView(view));
      assert.is(authorityOf(value), authorityOf(view));
    }
  }
});

test('a process that ends does not go on with it', async () => {
  const { kept, cache } = secretsOf(50);
  const clock = new FakeClock(NOW);
  const stopping = new AbortController();
  const dropping = dropViews(cache, () => false, clock, stopping.signal).catch(() => 'aborted');
  stopping.abort();
  assert.is(await dropping, 'aborted');
  assert.ok([...kept.values()].some(isView));
});

test.run();
