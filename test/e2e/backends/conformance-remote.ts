import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { numbered } from '../process/support/fleet.ts';
import { patchAuthority, renewAt, untilRevision } from '../support/edits.ts';
import { issuedAt } from '../support/moments.ts';
import {
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { watchCertificates } from '../support/secret-witness.ts';
import { eventually } from '../support/world.ts';
import { type Answer, answering, type Intercept } from './intercepting-proxy.ts';
import { readyAuthority, untilAuthority } from './place.ts';
import {
  type CheckRow,
  CONCEALED,
  certificateOf,
  type Place,
  type Server,
  type Shared,
  type Subject,
} from './subject.ts';

const RETRY_AFTER_SECONDS = 5;
/** The longest pause between two probes, and what comes on top of it. */
const PROBED_WITHIN_MS = 45_000;

/** Of a controller, unless told otherwise: so many requests that were waited for by workers would leave none. */
const WORKERS = 16;
const SLOW = WORKERS + 4;

/** What a server can answer to everything, and what the authority then says of it; CONCEALED unless told. */
const ANSWERS: Readonly<Record<string, { how: Intercept; proven?: Pick<CheckRow, 'reason' | 'says'> }>> = {
  'a redirect': {
    how: answering({ status: 302, headers: { location: 'https://elsewhere.invalid/' }, body: '' }),
  },
  'a body of 2 MB': { how: answering(ok('x'.repeat(2_000_000))) },
  'a body that never ends': { how: answering({ ...ok('x'.repeat(100_000)), msPerKilobyte: 500 }) },
  'no answer at all': { how: async () => undefined },
  'a page for people': {
    how: answering({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' }),
  },
  'an error of its own': {
    how: answering({ status: 502, body: '' }),
    proven: { reason: 'AuthorityUnavailable', says: '502' },
  },
};

function ok(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

/** Registers the tests of authorities that are servers by themselves. */
export function registerRemote(subject: Subject, shared: () => Promise<Shared>): void {
  const { type, exempt } = subject;
  if (exempt['a connection that is spoilt, slow or busy'] === undefined) registerConnection(subject, shared);
  if (exempt['credentials that are rotated under it'] !== undefined) return;

  test(`${type}: credentials that change under it are picked up without a restart`, async () => {
    const here = await shared();
    const where = await readyAuthority(here, subject);
    const { world, namespace } = where;
    await create(world, certificateOf(subject, namespace, 'alice'));
    await untilReady(world, namespace, 'alice');
    await serverOf(here).rotateCredentials(where);
    await renewAt(world, namespace, 'alice');
    await untilRevision(world, namespace, 'alice-tls', 2, PROBED_WITHIN_MS);
    await untilAuthority(where);
  });
}

function registerConnection(subject: Subject, shared: () => Promise<Shared>): void {
  const { type } = subject;

  for (const [name, { how, proven }] of Object.entries(ANSWERS)) {
    const { reason, says } = (subject.provenByCertificate && proven) || CONCEALED;
    test(`${type}: ${name} in place of its answers is bounded and told of, and then over`, async () => {
      const { where, proxy } = await behindProxy();
      proxy.meddle(how);
      await lookAgain(where);
      const ready = await untilAuthority(where, { status: 'False' }, { withinMs: PROBED_WITHIN_MS });
      assert.equal([ready.reason, ready.message.includes(says)], [reason, true], ready.message);
      proxy.meddle(undefined);
      await untilAuthority(where, {}, { withinMs: PROBED_WITHIN_MS });
    });
  }

  test(`${type}: one that is slow holds up nobody else`, async () => {
    const { where, proxy } = await behindProxy();
    const { world, namespace } = where;
    await createAuthority(world, selfManaged(namespace, 'own'));
    const { asksForCertificate } = serverOf(await shared());
    const answers = Promise.withResolvers<void>();
    const from = proxy.exchanges.length;
    proxy.meddle(async (exchange, pass) => {
      if (asksForCertificate(exchange)) await answers.promise;
      return pass();
    });
    const slow = numbered(SLOW, 'slow');
    for (const name of slow) await create(world, certificateOf(subject, namespace, name));
    const asked = () => proxy.exchanges.slice(from).filter(asksForCertificate).length;
    await eventually('it is asked by as many as may be', () => asked() >= WORKERS);
    await create(world, clientCertificate(namespace, 'quick', { authorityRef: { name: 'own' } }));
    await untilReady(world, namespace, 'quick');
    const issued = issuedAt((await readSecret(world, namespace, 'quick-tls'))?.object ?? {});
    const ended = await Promise.all(slow.map(async (name) => (await statusOf(world, namespace, name)).lastFailure));
    // Had one given up by now, it would have been later.
    assert.ok(
      ended.every((failure) => failure === undefined || new Date(failure.time) > issued),
      'all of them were still waiting',
    );
    answers.resolve();
    for (const name of slow) await untilReady(world, namespace, name, {}, PROBED_WITHIN_MS);
    proxy.meddle(undefined);
  });

  test(`${type}: 429 with Retry-After is obeyed`, async () => {
    const { where, proxy } = await behindProxy();
    const { world, namespace } = where;
    const { asksForCertificate, busyBody: body = '{"success": false, "errors": ["busy"]}' } = serverOf(await shared());
    const busy = {
      status: 429,
      headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
      body,
    };
    const from = proxy.exchanges.length;
    const asked = () => proxy.exchanges.slice(from).filter(asksForCertificate);
    // The first one only: it isn't up to the test to be back in time.
    proxy.meddle(answering(busy, (exchange) => exchange === asked()[0]));
    const told = await watchCertificates(world, namespace);
    await create(world, certificateOf(subject, namespace, 'alice'));
    const failure = await eventually('the status says so', () =>
      told.versions('alice').find(({ object }) => object.status?.lastFailure !== undefined),
    );
    assert.is(failure.object.status?.lastFailure?.reason, 'AuthorityBusy');
    await untilReady(world, namespace, 'alice');
    proxy.meddle(undefined);
    const [first, second] = asked();
    const pauseMs = (second?.atMs ?? 0) - (first?.atMs ?? 0);
    assert.is(asked().length, 2);
    assert.ok(pauseMs >= RETRY_AFTER_SECONDS * 1_000, `asked again after ${pauseMs} ms`);
  });

  async function behindProxy(): Promise<{ where: Place; proxy: Server['proxy'] }> {
    const here = await shared();
    const { proxy } = serverOf(here);
    proxy.meddle(undefined);
    return { where: await readyAuthority(here, subject, proxy.url), proxy };
  }
}

function serverOf({ served }: Shared): Server {
  if (served.server === undefined) throw new Error('a remote authority is tested with its server');
  return served.server;
}

/** Any change of the resource has the authority looked at. */
async function lookAgain({ world, namespace }: Place): Promise<void> {
  const annotations = { 'example.com/touched': new Date().toISOString() };
  await patchAuthority(world, namespace, 'ca', { metadata: { annotations } });
}
