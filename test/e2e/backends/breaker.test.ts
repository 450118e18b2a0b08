import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createAll, numbered } from '../process/support/fleet.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { authorityStatusOf, conditionOf, untilReady } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { answering, type Exchange, type InterceptingProxy } from './intercepting-proxy.ts';
import { readyAuthority, untilAuthority } from './place.ts';
import { makeStepCa } from './servers/step-ca.ts';
import { serve, stepCaSubject } from './step-ca-subject.ts';
import type { Place } from './subject.ts';

// Requests to an authority in trouble. Against step-ca, since the breaker is the same for every backend.

const COUNT = 20;
const NAMES = numbered(COUNT);
/** The probes of this time are counted. */
const PROBES_MS = 20_000;
/** The attempts of this time are counted. */
const ATTEMPTS_MS = 10_000;

const worlds = oneWorld();
const servers = lazily(async () => serve(await makeStepCa()));
test.after(worlds.stop);

/** An authority behind the proxy with certificates that it has issued. */
async function staged() {
  const [world, served] = await Promise.all([worlds.get(), servers.get()]);
  const controller = await world.controller(['--allow-loopback-authorities']);
  const { proxy } = served.server;
  const where = await readyAuthority({ world, served }, stepCaSubject, proxy.url);
  await createAll(world, where.namespace, NAMES);
  for (const name of NAMES) await untilReady(world, where.namespace, name);
  return { where, proxy, controller };
}

/** Waits until the status of each certificate says that its renewal waits. */
async function untilAllWait({ world, namespace }: Place): Promise<void> {
  const isWaiting = { type: 'Issuing', status: 'True' };
  await Promise.all(NAMES.map((name) => untilReady(world, namespace, name, isWaiting)));
}

/** The exchanges of a time span, even if the test itself slept longer. */
function exchangesIn({ exchanges }: InterceptingProxy, fromMs: number, ms: number): Exchange[] {
  return exchanges.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + ms);
}

const isSign = ({ path }: Exchange) => path === '/1.0/sign';

test('an authority that does not answer gets one probe for all certificates, and its status has the time of the next', async () => {
  const { where, proxy, controller } = await staged();
  const { world, namespace } = where;
  proxy.meddle(answering({ status: 503, body: '' }));
  const from = proxy.exchanges.length;
  for (const name of NAMES) await renewAt(world, namespace, name);
  await untilAuthority(where, { status: 'False' });
  await untilAllWait(where);
  const settledMs = performance.now();
  await sleep(PROBES_MS);
  const askedAt = Date.now();
  const { nextProbeTime = '' } = await authorityStatusOf(world, namespace, 'ca');
  assert.ok(Date.parse(nextProbeTime) > askedAt - 5_000, nextProbeTime);
  const meanwhile = exchangesIn(proxy, settledMs, PROBES_MS);
  assert.equal(meanwhile.filter(isSign), [], 'no certificate asks');
  // After 1, 2, 4, 8 and 16 seconds or so, one request each.
  assert.ok(meanwhile.length > 0 && meanwhile.length <= 6, `${meanwhile.length} requests in ${PROBES_MS} ms`);
  // At most the requests that were under way at the same time have failed.
  assert.ok(proxy.exchanges.slice(from).filter(isSign).length <= 16);
  assert.ok(controller.logs.some(({ message, nextProbe }) => message === 'authority in trouble' && nextProbe));

  proxy.meddle(undefined);
  for (const name of NAMES) await untilRevision(world, namespace, `${name}-tls`, 2, 90_000);
  await untilAuthority(where);
  assert.is((await authorityStatusOf(world, namespace, 'ca')).nextProbeTime, undefined);
  assert.is(await controller.stop(), 0);
});

test('where only signing fails, one certificate at a time is tried, and the authority is not Ready', async () => {
  const { where, proxy, controller } = await staged();
  const { world, namespace } = where;
  proxy.meddle(answering({ status: 500, body: '' }, isSign));
  for (const name of NAMES) await renewAt(world, namespace, name);
  await untilAuthority(where, { status: 'False' });
  await untilAllWait(where);
  const fromMs = performance.now();
  const seen = new Set<string>();
  for (; performance.now() < fromMs + ATTEMPTS_MS; await sleep(500)) {
    const ready = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Ready');
    seen.add(`${ready?.status} ${ready?.reason}`);
  }
  assert.equal([...seen], ['False AuthorityUnavailable']);
  const tried = exchangesIn(proxy, fromMs, ATTEMPTS_MS).filter(isSign);
  assert.ok(tried.length <= 4, `${tried.length} requests for a certificate in ${ATTEMPTS_MS} ms`);
  proxy.meddle(undefined);
  for (const name of NAMES) await untilRevision(world, namespace, `${name}-tls`, 2, 90_000);
  await untilAuthority(where);
  assert.is(await controller.stop(), 0);
});

test.run();
