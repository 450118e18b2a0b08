import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { SECRETS } from '../../../src/api/names.ts';
import { ApiError } from '../../../src/errors.ts';
import { CREATE_ONLY } from '../../../src/kube/object.ts';
import { connect, newNamespace, pause, secret, standBehindProxy } from './fixture.ts';

const test = suite('client');
const stand = standBehindProxy(test);

let namespace: string;

test.before.each(async () => {
  namespace = await newNamespace(stand.direct.client);
});

async function failure(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, ApiError);
  return error as ApiError;
}

const write = (text: string, metadata: Record<string, unknown> = {}, connected = stand.direct) =>
  connected.client.apply(SECRETS, secret(namespace, 'a', text, metadata));
const ofSecrets = ({ path }: { path: string }) => path.includes(`/${namespace}/secrets`);

test('what is applied can be read, listed and deleted, once', async () => {
  const written = await write('1');
  assert.is(written.kind, 'Secret');
  const read = await stand.direct.client.get(SECRETS, namespace, 'a');
  assert.is(read?.metadata?.resourceVersion, written.metadata?.resourceVersion);
  assert.is((await stand.direct.client.list(SECRETS, { namespace })).items.length, 1);
  assert.is(await stand.direct.client.delete(SECRETS, namespace, 'a'), true);
  assert.is(await stand.direct.client.delete(SECRETS, namespace, 'a'), false);
  assert.is(await stand.direct.client.get(SECRETS, namespace, 'a'), undefined);
});

test('an apply with resourceVersion 1 only ever creates, and one of many racers wins', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 16 }, (_, index) => write(`${index}`, { resourceVersion: CREATE_ONLY })),
  );
  assert.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.is(outcome.reason.status, 409);
  }
  assert.is((await failure(write('late', { resourceVersion: CREATE_ONLY }))).status, 409);
});

test('an apply with a version that has passed is a conflict, as is one with the uid of another life', async () => {
  const first = await write('1');
  await write('2');
  const { uid, resourceVersion } = first.metadata ?? {};
  assert.is((await failure(write('3', { uid, resourceVersion }))).status, 409);
  await stand.direct.client.delete(SECRETS, namespace, 'a');
  assert.is((await failure(write('3', { uid, resourceVersion }))).status, 409);
});

test('a delete with the wrong uid is a conflict and deletes nothing', async () => {
  await write('1');
  const error = await failure(
    stand.direct.client.delete(SECRETS, namespace, 'a', { uid: '00000000-0000-0000-0000-000000000000' }),
  );
  assert.is(error.status, 409);
  assert.ok(await stand.direct.client.get(SECRETS, namespace, 'a'));
});

test('an identical apply is no write', async () => {
  const first = await write('1');
  const second = await write('1');
  assert.is(first.metadata?.resourceVersion, second.metadata?.resourceVersion);
});

test('a refusal says why in one line and quotes neither headers nor secrets', async () => {
  const key = 'k'.repeat(100);
  const error = await failure(stand.direct.client.apply(SECRETS, { metadata: { namespace, name: key.toUpperCase() } }));
  assert.is(error.status, 422);
  assert.is(error.reason, 'Invalid');
  assert.not.match(error.message, /K{64}/);
  assert.not.match(error.message, /audit-id|content-type/i);
});

test('a write whose answer is lost has status 0, and has happened', async () => {
  stand.proxy.when(ofSecrets, { kind: 'dropAfter' });
  const error = await failure(write('1', {}, stand.proxied));
  assert.is(error.status, 0);
  assert.is((await stand.direct.client.get(SECRETS, namespace, 'a'))?.metadata?.annotations?.note, '1');
});

test('a write whose connection dies has status 0 and is sent once only', async () => {
  await stand.proxied.client.version();
  const before = stand.proxy.requests.length;
  stand.proxy.when(ofSecrets, { kind: 'dropBefore' });
  assert.is((await failure(write('1', {}, stand.proxied))).status, 0);
  assert.is(stand.proxy.requests.length, before + 1);
  assert.is(await stand.direct.client.get(SECRETS, namespace, 'a'), undefined);
});

test('a read whose connection dies is sent once more, and only once', async () => {
  stand.proxy.when(ofSecrets, { kind: 'dropBefore' });
  assert.is(await stand.proxied.client.get(SECRETS, namespace, 'a'), undefined);
  stand.proxy.when(ofSecrets, { kind: 'dropBefore' }, { times: 2 });
  assert.is((await failure(stand.proxied.client.get(SECRETS, namespace, 'a'))).status, 0);
});

test('an answer that is cut off has status 0', async () => {
  stand.proxy.when(ofSecrets, { kind: 'truncate', bytes: 40 });
  assert.is((await failure(write('1', {}, stand.proxied))).status, 0);
});

test('a success that is no JSON has status 0', async () => {
  stand.proxy.when(ofSecrets, { kind: 'answer', status: 200, body: '<html>hello</html>', contentType: 'text/html' });
  const error = await failure(write('1', {}, stand.proxied));
  assert.is(error.status, 0);
  assert.is(error.reason, 'InvalidAnswer');
});

for (const [retryAfter, from, to] of [
  ['7', 7_000, 7_000],
  // The suite may take its time until then.
  [new Date(Date.now() + 3_600_000).toUTCString(), 1_000, 3_600_000],
  ['soon', undefined, undefined],
] as const) {
  test(`Retry-After: ${retryAfter} is understood`, async () => {
    stand.proxy.when(ofSecrets, { kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfter });
    const error = await failure(write('1', {}, stand.proxied));
    assert.is(error.status, 429);
    if (from === undefined) assert.is(error.retryAfterMs, undefined);
    else assert.ok((error.retryAfterMs ?? 0) >= from && (error.retryAfterMs ?? 0) <= to, `${error.retryAfterMs}`);
  });
}

for (const [what, body] of [
  ['HTML', '<html>no</html>'],
  ['nothing', ''],
  ['JSON null', 'null'],
  ['a Status without a reason', '{"kind":"Status","code":503}'],
] as const) {
  test(`a 503 with ${what} is an error like any other`, async () => {
    stand.proxy.when(ofSecrets, { kind: 'answer', status: 503, body });
    const error = await failure(write('1', {}, stand.proxied));
    assert.is(error.status, 503);
    assert.is(error.message, 'HTTP 503');
  });
}

test('a request that hangs ends at its timeout, and its connection is not used again', async () => {
  const delayMs = 5_000;
  stand.proxy.when(ofSecrets, { kind: 'delay', ms: delayMs });
  const error = await failure(stand.proxied.client.get(SECRETS, namespace, 'a', { timeoutMs: 300 }));
  assert.is(error.status, 0);
  assert.is(error.reason, 'Timeout');
  const { seconds = Number.NaN } = stand.proxied.observations.at(-1) ?? {};
  assert.ok(seconds < delayMs / 1_000, `${seconds} s`);
  assert.is(await stand.proxied.client.get(SECRETS, namespace, 'a'), undefined);
});

test('an aborted signal gives the request up', async () => {
  stand.proxy.when(ofSecrets, { kind: 'delay', ms: 3_000 });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  assert.is(
    (await failure(stand.proxied.client.get(SECRETS, namespace, 'a', { signal: controller.signal }))).reason,
    'Aborted',
  );
  assert.is(
    (await failure(stand.proxied.client.get(SECRETS, namespace, 'a', { signal: controller.signal }))).reason,
    'Aborted',
  );
});

test('many requests at once share a bounded number of connections', async () => {
  const before = stand.proxy.connections();
  await Promise.all(Array.from({ length: 300 }, () => stand.proxied.client.get(SECRETS, namespace, 'a')));
  assert.ok(stand.proxy.connections() <= Math.max(before, 33), `${stand.proxy.connections()} connections`);
});

test('each request is observed with verb, resource, status and time', async () => {
  stand.proxied.observations.length = 0;
  await write('1', {}, stand.proxied);
  await stand.proxied.client.get(SECRETS, namespace, 'missing');
  stand.proxy.when(ofSecrets, { kind: 'dropBefore' });
  await failure(write('2', {}, stand.proxied));
  assert.equal(
    stand.proxied.observations.map(({ verb, resource, status }) => `${verb} ${resource} ${status}`),
    ['apply secrets 200', 'get secrets 404', 'apply secrets 0'],
  );
  assert.ok(stand.proxied.observations.every(({ seconds }) => seconds > 0 && seconds < 10));
});

test('whether we may do something is asked of the API server', async () => {
  const powerless = connect(await stand.cluster.kubeconfigFor('nobody'));
  assert.is(await powerless.client.canI({ verb: 'list', resource: SECRETS }), false);
  assert.is(await stand.direct.client.canI({ verb: 'list', resource: SECRETS, namespace }), true);
  assert.is((await failure(powerless.client.list(SECRETS))).status, 403);
  assert.match(await stand.direct.client.version(), /^v1\./);
  await powerless.client.close();
});

test('a request that is refused for want of credentials is not repeated when there are no others', async () => {
  const before = stand.proxy.requests.length;
  stand.proxy.when(ofSecrets, { kind: 'answer', status: 401, reason: 'Unauthorized' });
  assert.is((await failure(write('1', {}, stand.proxied))).status, 401);
  await pause(50);
  assert.is(stand.proxy.requests.length, before + 1);
});

test.run();
