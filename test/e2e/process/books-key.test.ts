import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BOOKS_NAME } from '../../../src/api/books-names.ts';
import { SECRETS } from '../../../src/api/names.ts';
import { BOOKS_PERMISSIONS } from '../../../src/api/permissions.ts';
import { systemClock } from '../../../src/clock.ts';
import { RetryableError } from '../../../src/errors.ts';
import { KubeconfigConnection } from '../../../src/kube/auth.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { BooksKey } from '../../../src/revocation/books-key.ts';
import { blankBooksSecret, booksSecret } from '../../../src/revocation/books-secret.ts';
import { BooksKeeper } from '../../../src/wiring/books-key.ts';
import { onStop } from '../../teardown.ts';
import { oneWorld } from '../support/world.ts';
import { grantedUser } from './support/access.ts';

const shared = oneWorld();
test.after(shared.stop);

const CONTEXT = { authority: 'CertificateAuthority/ca', namespace: 'shop' };
const UID = 'b0a1';

/** A replica of the controller, as far as it keeps the key. */
function replica(client: KubeClient, namespace: string, { leads = true } = {}) {
  const key = new BooksKey();
  const warnings: Record<string, unknown>[] = [];
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (_: string, fields?: object) => void warnings.push({ ...fields }),
  };
  const ownership = {
    assert() {
      if (!leads) throw new RetryableError('Conflict', 'another replica leads');
    },
  };
  const stopping = new AbortController();
  onStop(async () => stopping.abort());
  const keeper = new BooksKeeper({ client, clock: systemClock, log, ownership, key, namespace, onKnown: () => {} });
  return { key, warnings, keeper, start: () => keeper.start(stopping.signal) };
}

/** What proves that two of them have the same key. */
const proofOf = (key: BooksKey) => [key.seal.sign(CONTEXT, 'text'), key.serialKey(UID)?.toString('hex')];

test('the leader creates the key once, and every replica and every restart reads the same', async () => {
  const { client, namespace: make } = await shared.get();
  const namespace = await make();
  const [first, second] = [replica(client, namespace), replica(client, namespace)];
  await Promise.all([first.start(), second.start()]);
  assert.is(first.key.isKnown, false, 'a replica that does not lead creates nothing');
  assert.is(await client.get(SECRETS, namespace, BOOKS_NAME), undefined);
  await Promise.all([first.keeper.lead(), second.keeper.lead()]);
  assert.equal(proofOf(first.key), proofOf(second.key));
  const stored = await client.get(SECRETS, namespace, BOOKS_NAME);
  const again = replica(client, namespace);
  await again.start();
  await again.keeper.lead();
  assert.equal(proofOf(again.key), proofOf(first.key));
  assert.equal(await client.get(SECRETS, namespace, BOOKS_NAME), stored);
  assert.is(Buffer.from(stored?.data?.key ?? '', 'base64').length, 32);
  assert.ok([first, second, again].every(({ warnings }) => warnings.length === 0));
});

test('the keys for serial numbers and for seals are of 32 bytes, other ones for each purpose, and none of them is the key itself', async () => {
  const { client, namespace: make } = await shared.get();
  const namespace = await make();
  const { key, start, keeper } = replica(client, namespace);
  assert.equal([key.serialKey(UID), key.seal.sign(CONTEXT, ''), key.seal.isKnown], [undefined, undefined, false]);
  await start();
  await keeper.lead();
  const stored = (await client.get(SECRETS, namespace, BOOKS_NAME))?.data?.key ?? '';
  const keys = [Buffer.from(stored, 'base64'), key.serialKey(UID), key.serialKey('another')].map((each) =>
    each?.toString('hex'),
  );
  assert.is(new Set(keys).size, 3);
  assert.ok(keys.every((each) => each?.length === 64));
});

test('a leader that was killed before the key came in is followed by one that brings it', async () => {
  const { client, namespace: make } = await shared.get();
  const namespace = await make();
  await client.apply(SECRETS, blankBooksSecret(namespace));
  const { key, keeper, start } = replica(client, namespace);
  await start();
  assert.is(key.isKnown, false);
  await keeper.lead();
  assert.ok(key.isKnown);
});

for (const [name, plant] of Object.entries({
  'a Secret with a key that its maker knows': (namespace: string) => ({
    ...blankBooksSecret(namespace),
    data: { key: randomBytes(32).toString('base64') },
  }),
  'one that names a uid, which is not its own': (namespace: string) => ({
    ...booksSecret(namespace, randomBytes(32), { uid: 'a', resourceVersion: '1' }),
    metadata: blankBooksSecret(namespace).metadata,
  }),
  'one without the label': (namespace: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: BOOKS_NAME },
  }),
}))
  test(`${name} is not taken for the key, and stays as it is; the log says once what to do`, async () => {
    const { client, namespace: make } = await shared.get();
    const namespace = await make();
    const planted = await client.apply(SECRETS, plant(namespace));
    const { key, keeper, start, warnings } = replica(client, namespace);
    await start();
    await keeper.lead();
    assert.is(key.isKnown, false);
    assert.equal(await client.get(SECRETS, namespace, BOOKS_NAME), planted);
    assert.is(warnings.length, 1);
    assert.match(String(warnings[0]?.remedy), `kubectl -n ${namespace} delete secret ${BOOKS_NAME}`);
    // As the operator is told.
    await client.delete(SECRETS, namespace, BOOKS_NAME);
    await keeper.lead();
    assert.ok(key.isKnown);
  });

test('what the chart grants is enough, and without it the log says what is missing', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  const start = async (user: string, permissions: typeof BOOKS_PERMISSIONS) => {
    const kubeconfig = await grantedUser(world, user, namespace, permissions);
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    const connections = new KubeconfigConnection({ kubeconfig, clock: systemClock, logger: quiet });
    const client = new KubeClient({ connections, clock: systemClock });
    onStop(() => client.close());
    const found = replica(client, namespace);
    await found.start();
    await found.keeper.lead();
    return found;
  };
  const denied = await start('books-denied', []);
  assert.is(denied.key.isKnown, false);
  assert.is(denied.warnings.length, 1);
  assert.match(String(denied.warnings[0]?.error), /forbidden/);
  assert.match(String(denied.warnings[0]?.remedy), `--resource-name=${BOOKS_NAME}`);
  const allowed = await start('books-allowed', BOOKS_PERMISSIONS);
  assert.ok(allowed.key.isKnown);
});

test('a replica that leads no more writes nothing', async () => {
  const { client, namespace: make } = await shared.get();
  const namespace = await make();
  const { key, keeper } = replica(client, namespace, { leads: false });
  await keeper.lead();
  assert.is(key.isKnown, false);
  assert.is(await client.get(SECRETS, namespace, BOOKS_NAME), undefined);
});

test.run();
