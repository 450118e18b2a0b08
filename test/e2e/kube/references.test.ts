import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import { systemClock } from '../../../src/clock.ts';
import { References } from '../../../src/kube/references.ts';
import { PATIENCE_MS } from '../support/eventually.ts';
import { IMPATIENT, logger, newNamespace, secret, standBehindProxy, until } from './fixture.ts';

const test = suite('references');
const stand = standBehindProxy(test);

let namespace: string;
let references: References;

test.before.each(async () => {
  namespace = await newNamespace(stand.direct.client);
  references = new References({ client: stand.proxied.client, clock: systemClock, logger }, IMPATIENT);
});

test.after.each(() => references.close());

const write = (name: string, text: string) => stand.direct.client.apply(SECRETS, secret(namespace, name, text));

test('an object that is referred to is followed, absent or not, and no other is read', async () => {
  await write('other', '1');
  let changes = 0;
  const reference = references.acquire(SECRETS, namespace, 'ca', () => changes++);
  await reference.synced;
  assert.is(reference.known, true);
  assert.is(reference.get(), undefined);
  await write('ca', '1');
  await until('it is there', () => reference.get() !== undefined);
  assert.equal(Object.keys(reference.get()?.metadata ?? {}), ['namespace', 'name', 'uid', 'resourceVersion']);
  await stand.direct.client.delete(SECRETS, namespace, 'ca');
  await until('it is gone', () => reference.get() === undefined);
  assert.is(changes, 2);
});

test('files that are no text are kept, since DER is to be told from a file that is empty', async () => {
  const binaryData = { 'ca.crt': Buffer.from([0x30, 0x82]).toString('base64') };
  const map = { metadata: { namespace, name: 'der' }, data: { note: 'x' }, binaryData };
  await stand.direct.client.create(CONFIG_MAPS, map);
  const reference = references.acquire(CONFIG_MAPS, namespace, 'der', () => {});
  await reference.synced;
  const { data, binaryData: kept } = reference.get() ?? {};
  assert.equal([data, kept], [{ note: 'x' }, binaryData]);
});

test('objects that are too large for one namespace are known and left out, and read once there is room', async () => {
  const large = { blob: Buffer.from('x'.repeat(900_000)).toString('base64') };
  const names = Array.from({ length: 16 }, (_, index) => `large-${index}`);
  for (const name of names) await stand.direct.client.create(SECRETS, { metadata: { namespace, name }, data: large });
  const all = names.map((name) => references.acquire(SECRETS, namespace, name, () => {}));
  await Promise.all(all.map(({ synced }) => synced));
  const leftOut = () => all.filter(({ isLeftOut }) => isLeftOut);
  assert.ok(leftOut().length > 0 && leftOut().length < 5, String(leftOut().length));
  for (const each of leftOut()) assert.equal(each.get()?.data, {});
  const elsewhere = references.acquire(SECRETS, await newNamespace(stand.direct.client), 'ca', () => {});
  await elsewhere.synced;
  assert.is(elsewhere.isLeftOut, false);
  for (const each of all) if (!each.isLeftOut) each.release();
  const name = leftOut()[0]?.get()?.metadata?.name ?? '';
  await stand.direct.client.apply(SECRETS, secret(namespace, name, 'changed'));
  await until('there is room', () => leftOut().every((each) => each.get()?.metadata?.name !== name));
});

test('however many refer to an object, it is watched once, until the last one lets go', async () => {
  const ours = () => stand.proxy.watches(({ path }) => path.includes(namespace)).length;
  const users = Array.from({ length: 5 }, () => references.acquire(SECRETS, namespace, 'ca', () => {}));
  await until('the watch is open', () => ours() === 1);
  assert.is(references.size, 1);
  for (const user of users.slice(1)) user.release();
  users[1]?.release();
  assert.is(references.size, 1);
  users[0]?.release();
  assert.is(references.size, 0);
  await until('the watch is closed', () => ours() === 0);
});

test('two hundred references at once leave the requests their connections', async () => {
  references.close();
  references = new References(
    { client: stand.proxied.client, clock: systemClock, logger },
    { idleMs: 10 * PATIENCE_MS },
  );
  const users = Array.from({ length: 200 }, (_, index) =>
    references.acquire(SECRETS, namespace, `ca-${index}`, () => {}),
  );
  await Promise.all(users.map(({ synced }) => synced));
  await until('all are open', () => stand.proxy.watches(({ path }) => path.includes(namespace)).length === 200);
  const before = stand.proxy.requests.length;
  await stand.proxied.client.apply(SECRETS, secret(namespace, 'ca-7', '1'));
  // Nor has any watch ended, whose connection it could have got.
  assert.equal(
    stand.proxy.requests.slice(before).map(({ method }) => method),
    ['PATCH'],
  );
  await until('it is seen', () => users[7]?.get() !== undefined);
});

test.run();
