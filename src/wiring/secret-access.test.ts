import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RawObject } from '../api/parse.ts';
import { ApiError, type CertwheelError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { applyWhole } from './secret-access.ts';

const metadata = { namespace: 'shop', name: 'alice-next', resourceVersion: '1', labels: { mine: 'yes' } };
const manifest = { metadata, type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': 'a2V5' } };

/** An API server whose admission takes the label away, and that answers a deletion so. */
async function applied(deleted: () => Promise<unknown>) {
  const sent: RawObject[] = [];
  const client = {
    apply: async (_resource: unknown, object: RawObject) => {
      sent.push(object);
      return { ...object, metadata: { ...object.metadata, uid: 'uid-1', resourceVersion: '7', labels: {} } };
    },
    delete: (...[, , , preconditions]: unknown[]) => {
      assert.equal(preconditions, { uid: 'uid-1' });
      return deleted();
    },
  };
  const error = await applyWhole(client as unknown as KubeClient, manifest).catch((thrown: unknown) => thrown);
  return { error: error as CertwheelError, last: sent.at(-1) };
}

test('a new Secret that is altered is removed again', async () => {
  const { error, last } = await applied(async () => {});
  assert.is(error.code, 'SecretAltered');
  assert.not.match(error.message, 'kubectl');
  assert.equal(last?.data, manifest.data);
});

test('one that may not be deleted loses its key, and the error has the command that deletes it', async () => {
  const { error, last } = await applied(() => Promise.reject(new ApiError(403, 'Forbidden', 'a policy denies it')));
  assert.is(error.code, 'SecretAltered');
  assert.match(error.message, '(metadata.labels.mine)');
  assert.match(error.message, 'kubectl delete secret -n shop alice-next');
  assert.equal([last?.data?.['tls.key'], last?.metadata?.uid, last?.metadata?.resourceVersion], ['', 'uid-1', '7']);
});

test.run();
