// Renewal information is answered by a proxy before a step-ca: of the ACME servers that can be had here, the one that has it
// (Pebble) issues no certificates for clients.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { membersOf } from '../../../src/backends/http/json-members.ts';
import { eventually } from '../support/eventually.ts';
import { clientCertificate, create, readSecret } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { changed, isOrder } from './acme-proxied.ts';
import { acmeSubject, serve } from './acme-subject.ts';
import type { Exchange } from './intercepting-proxy.ts';
import { readyAuthority } from './place.ts';

const worlds = oneWorld();
test.after(worlds.stop);

const DURATION = '5m';
/** Without a suggestion none is renewed sooner: four fifths of half of its life. */
const EARLIEST_MS = 120_000;
/** Each is asked about within ten minutes, at a moment of its own: of so many, some are asked about soon enough. */
const COUNT = 45;
const WITHIN_MS = 170_000;

const isDirectory = ({ path }: Exchange) => path.endsWith('/directory');
const isInfo = ({ path }: Exchange) => path.includes('/renewal-info/');

/** What the request of a JSON Web Signature says. */
function payloadOf({ body }: Exchange): Readonly<Record<string, unknown>> {
  const { payload } = membersOf(JSON.parse(body.toString()));
  return membersOf(JSON.parse(Buffer.from(String(payload), 'base64url').toString()));
}

test('a server that wants a certificate renewed at once has it renewed sooner, and the order names the one that it replaces', async () => {
  const world = await worlds.get();
  const served = await serve();
  const { proxy } = served.server;
  const start = new Date(Date.now() - 3_600_000).toISOString();
  const end = new Date(Date.now() - 1_800_000).toISOString();
  proxy.meddle(async (exchange, pass) => {
    if (isInfo(exchange)) return { status: 200, body: JSON.stringify({ suggestedWindow: { start, end } }) };
    const answer = await pass();
    if (!isDirectory(exchange)) return answer;
    return changed(answer, (body) => ({ ...body, renewalInfo: `${proxy.url}/renewal-info` }));
  });
  await world.controller(['--allow-loopback-authorities']);
  const { namespace } = await readyAuthority({ world, served }, acmeSubject, proxy.url);
  const names = Array.from({ length: COUNT }, (_, index) => `client-${index}`);
  for (const name of names) {
    const commonName = `${name}.example.com`;
    await create(world, clientCertificate(namespace, name, { commonName, dnsNames: [commonName], duration: DURATION }));
  }
  const issuedAt = new Map<string, readonly number[]>();
  const early = await eventually(
    'a certificate is renewed before its time',
    async () => {
      for (const name of names) {
        const { annotations = {} } = (await readSecret(world, namespace, `${name}-tls`)) ?? {};
        const issued = Date.parse(annotations['certwheel.io/issued-at'] ?? '');
        const former = issuedAt.get(name) ?? [];
        if (!Number.isNaN(issued) && former.at(-1) !== issued) issuedAt.set(name, [...former, issued]);
      }
      return [...issuedAt].find(([, { length }]) => length > 1);
    },
    WITHIN_MS,
  );
  const [name, [first = 0, second = 0]] = early;
  assert.ok(second - first < EARLIEST_MS, `${name} was renewed after ${second - first} ms`);
  // By half of the way at most, whatever the server suggests.
  assert.ok(second - first >= EARLIEST_MS / 2 - 1_000, `${name} was renewed after ${second - first} ms`);
  assert.ok(proxy.exchanges.some(isInfo));
  const replacing = proxy.exchanges
    .filter(isOrder)
    .map(payloadOf)
    .filter(({ replaces }) => typeof replaces === 'string');
  assert.ok(replacing.some(({ identifiers }) => JSON.stringify(identifiers).includes(`"${name}.example.com"`)));
});

test.run();
