import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ClientCertificateStatus } from '../../../src/api/generated/types.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import type { Fault, Matcher } from '../kube/fault-proxy.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { loggedAt, untilNextSecond } from '../support/moments.ts';
import {
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { revisionOf, watchSecrets } from '../support/secret-witness.ts';
import type { Witness } from '../support/witness.ts';
import { writesTo } from './support/audit.ts';
import { anyRequest, breakFirst, oneBrokenWorld, secretApply, statusApply } from './support/broken.ts';
import { bugs, lines } from './support/fleet.ts';
import { faultsOf, publishedSerials } from './support/justified.ts';
import { startEarly } from './support/start-early.ts';

const shared = oneBrokenWorld();
test.after(shared.stop);

interface Row {
  readonly what: string;
  readonly where: (namespace: string, name: string) => Matcher;
  readonly fault: Fault;
  readonly times: number;
  /** In place of `times`: the fault ends after this time, and is met at least `times` times. */
  readonly forMs?: number;
  /** How many certificates may be signed for the one that is published: 1 + those whose answers were refusals. */
  readonly mostSigned: number;
}

const HTML = { contentType: 'text/html', body: '<html>Bad Gateway</html>' };

const ROWS: readonly Row[] = [
  {
    what: 'the answer to the Secret write is lost',
    where: (namespace) => secretApply(namespace, 'alice-tls'),
    fault: { kind: 'dropAfter' },
    times: 1,
    mostSigned: 1,
  },
  {
    what: 'the answers to the Secret write and to the look after it are lost',
    where: anySecretRequest,
    fault: { kind: 'dropAfter' },
    times: 3,
    mostSigned: 2,
  },
  {
    what: 'the answer to the Secret write is cut off in the middle',
    where: (namespace) => secretApply(namespace, 'alice-tls'),
    fault: { kind: 'truncate', bytes: 200 },
    times: 1,
    mostSigned: 1,
  },
  {
    what: 'the answer to the status write is lost',
    where: (namespace) => statusApply(namespace, 'alice'),
    fault: { kind: 'dropAfter' },
    times: 1,
    mostSigned: 1,
  },
  {
    what: 'ten 409 in a row on the Secret write',
    where: (namespace) => secretApply(namespace, 'alice-tls'),
    fault: { kind: 'answer', status: 409, reason: 'Conflict' },
    times: 10,
    mostSigned: 4,
  },
  {
    what: 'ten 409 in a row on the status write',
    where: (namespace) => statusApply(namespace, 'alice'),
    fault: { kind: 'answer', status: 409, reason: 'Conflict' },
    times: 10,
    mostSigned: 1,
  },
  {
    what: 'ten seconds of 503 on everything but watches',
    where: (namespace) => anyRequest(namespace),
    fault: { kind: 'answer', status: 503, reason: 'ServiceUnavailable' },
    times: 1,
    forMs: 10_000,
    mostSigned: 1,
  },
  {
    what: 'a gateway that answers 502 with a page of HTML',
    where: (namespace) => secretApply(namespace, 'alice-tls'),
    fault: { kind: 'answer', status: 502, ...HTML },
    times: 5,
    mostSigned: 3,
  },
];

for (const { what, where, fault, times, forMs, mostSigned } of ROWS) {
  const meet = async (namespace: string, secrets: Witness) => {
    const { world, proxy, controller } = await shared.get();
    await createAuthority(world, selfManaged(namespace));
    await create(world, clientCertificate(namespace, 'before'));
    await untilReady(world, namespace, 'before');
    const { arrivals, mend } = breakFirst(proxy, where(namespace, 'alice'), fault, forMs === undefined ? times : 1_000);
    if (forMs !== undefined) setTimeout(mend, forMs);
    const { metadata } = await create(world, clientCertificate(namespace, 'alice'));
    const tookMs = readyMs(metadata, await untilReady(world, namespace, 'alice'));
    // No second certificate is published.
    await sleep(QUIET_MS);
    await secrets.settled();
    const signed = signatures(controller, namespace, 'alice');
    const secret = await readSecret(world, namespace, 'alice-tls');
    const published = publishedSerials(secrets, ['alice']);
    const faults = faultsOf(secrets, ['alice']);
    return { arrivals, faults, published, revision: revisionOf(secret?.object), signed, tookMs };
  };
  const scenario = startEarly(async () => {
    const { world } = await shared.get();
    const namespace = await world.namespace();
    const secrets = await watchSecrets(world, namespace);
    return meet(namespace, secrets);
  });

  test(`${what}: one certificate is published, and it converges`, async () => {
    const { arrivals, faults, published, revision, signed, tookMs } = await scenario();
    assert.ok(arrivals.length >= times, `only ${arrivals.length} requests met the fault`);
    assert.equal(faults, []);
    assert.is(published.length, 1);
    assert.is(revision, 1);
    console.log(`${what}: Ready after ${tookMs} ms, ${signed} signed`);
    assert.ok(signed <= mostSigned, `${signed} signed`);
    assert.ok(tookMs < 30_000, `${tookMs} ms`);
  });
}

const throttled = startEarly(async () => {
  const { world, proxy, controller } = await shared.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  const refusal: Fault = { kind: 'answer', status: 429, reason: 'TooManyRequests', retryAfter: '6' };
  const { arrivals } = breakFirst(proxy, secretApply(namespace, 'alice-tls'), refusal, 2);
  await create(world, clientCertificate(namespace, 'alice'));
  const { metadata } = await create(world, clientCertificate(namespace, 'bob'));
  const bobMs = readyMs(metadata, await untilReady(world, namespace, 'bob'));
  await untilReady(world, namespace, 'alice');
  const refused = lines(controller.logs, 'run failed').filter(({ key }) => key === `${namespace}/alice`);
  const written = await writesTo(world, 'secrets', namespace, 'alice-tls');
  const tries = [...refused.map(loggedAt), ...written].map((each) => each.getTime());
  const [bobWritten] = await writesTo(world, 'secrets', namespace, 'bob-tls');
  return { arrivals, tries, bobMs, bobWritten, signed: signatures(controller, namespace, 'alice') };
});

test('429 with Retry-After: that certificate waits as long as Retry-After says, the others do not', async () => {
  const { arrivals, tries, bobMs, bobWritten } = await throttled();
  const gapsOf = (moments: readonly number[]) =>
    moments.slice(1).map((each, index) => Math.round(each - (moments[index] ?? 0)));
  // Both by the proxy, which notes each before it answers, and by the log and the audit log.
  const [least, most] = [gapsOf(arrivals), gapsOf(tries)];
  console.log(`gaps of ${most} ms; the other was Ready after ${bobMs} ms`);
  assert.equal([arrivals.length, tries.length], [3, 3]);
  assert.ok(
    least.every((gap) => gap >= 6_000),
    String(least),
  );
  assert.ok(
    most.every((gap) => gap < 12_000),
    String(most),
  );
  assert.ok(Number(bobWritten) < Number(tries[1]), 'the other is issued before this one is tried again');
});

test('429: no certificate is signed a second time, since none was lost', async () => {
  const { signed } = await throttled();
  assert.is(signed, 1);
});

const lostRenewal = startEarly(async () => {
  const { world, proxy } = await shared.get();
  const namespace = await world.namespace();
  const secrets = await watchSecrets(world, namespace);
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'alice'));
  await untilReady(world, namespace, 'alice');
  breakFirst(proxy, secretApply(namespace, 'alice-tls'), { kind: 'dropAfter' }, 1);
  await untilNextSecond();
  await renewAt(world, namespace, 'alice');
  await untilRevision(world, namespace, 'alice-tls', 2);
  await sleep(QUIET_MS);
  await secrets.settled();
  return { namespace, published: publishedSerials(secrets, ['alice']), faults: faultsOf(secrets, ['alice']) };
});

test('a renewal whose answer is lost is published once', async () => {
  const { controller } = await shared.get();
  const { namespace, published, faults } = await lostRenewal();
  assert.is(published.length, 2);
  assert.is(signatures(controller, namespace, 'alice'), 2);
  assert.equal(faults, []);
});

test('the controller reports none of these faults as a bug', async () => {
  const { controller } = await shared.get();
  assert.equal(bugs(controller.logs), []);
  assert.is(await controller.stop(), 0);
});

/** From the creation of a ClientCertificate until it was Ready, both in whole seconds. */
function readyMs(metadata: RawObject['metadata'], status: ClientCertificateStatus): number {
  const readyAt = Date.parse(conditionOf(status, 'Ready')?.lastTransitionTime ?? '');
  return readyAt - Date.parse(String(metadata?.creationTimestamp));
}

function anySecretRequest(namespace: string): Matcher {
  return ({ path, watch }) => !watch && path.endsWith(`/namespaces/${namespace}/secrets/alice-tls`);
}

test.run();
