/** Each verifier is asked by the one replica that has its authority, and by the one that takes over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type TlsOptions } from 'node:tls';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop } from '../../teardown.ts';
import {
  FLAGS,
  INTERVAL,
  putServerCa,
  SERVER_CA,
  serverPair,
  untilVerdict,
  verifierAt,
} from '../probes/verifier-world.ts';
import { bugs } from '../process/support/fleet.ts';
import { startEarly } from '../process/support/start-early.ts';
import { startController } from '../support/controller-process.ts';
import { patchAuthority } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { readSecret } from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';
import { Fleet, identityOf } from './fleet.ts';

const COUNT = 16;
const NAMESPACES = 12;
/** Of INTERVAL, less its jitter. */
const SHORTEST_PAUSE_MS = 0.9 * Number.parseInt(INTERVAL, 10) * 1_000;
/** What the clocks of two processes and a busy machine make of a pause. */
const TOLERANCE_MS = 500;
/** The questions of one round follow each other. */
const WITHIN_A_ROUND_MS = 3_000;
const WATCHED_MS = 35_000;

const shared = oneWorld();
test.after(shared.stop);

interface Counted {
  readonly port: number;
  /** When it was asked. */
  readonly askedAtMs: number[];
  trust(clientCa: string): void;
}

/** A server for clients of this CA. */
async function serve(clientCa: string): Promise<Counted> {
  const { certificate, key } = await serverPair();
  const options = (ca: string): TlsOptions => ({
    cert: certificate,
    key,
    requestCert: true,
    rejectUnauthorized: true,
    ca,
  });
  const server = createServer(options(clientCa), (socket) =>
    socket.on('error', () => {}).on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
  );
  const askedAtMs: number[] = [];
  server.on('connection', () => askedAtMs.push(performance.now())).on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onStop(() => void server.close());
  const { port } = server.address() as { port: number };
  return { port, askedAtMs, trust: (ca) => server.setSecureContext(options(ca)) };
}

const story = startEarly(async () => {
  const world = await shared.get();
  const fleet = await Fleet.of(world, NAMESPACES, COUNT);
  const start = () => startController(world.cluster.kubeconfigPath, [...fleet.flags, ...FLAGS]);
  const all = [await start(), await start()];
  await fleet.untilHeldBy(all);
  const owners = await eventually('each has verifiers to ask', async () => {
    const found = await Promise.all(
      fleet.namespaces.map((namespace) => fleet.ownerOf(`CertificateAuthority/${namespace}/ca`)),
    );
    return all.every((each) => found.includes(identityOf(each))) && found;
  });
  await fleet.fill(['a'], {});
  await fleet.untilReady();
  const servers: Counted[] = [];
  for (const namespace of fleet.namespaces) {
    const server = await serve((await readSecret(world, namespace, 'a-tls'))?.bundle ?? '');
    servers.push(server);
    await putServerCa(world, namespace);
    const verifier = verifierAt('server', server.port);
    await patchAuthority(world, namespace, 'ca', { spec: { trust: { verifiers: [verifier] } } });
  }
  const untilAll = (verdict: string) =>
    Promise.all(fleet.namespaces.map((namespace) => untilVerdict(world, namespace, 'server', 1, verdict)));
  await untilAll('Trusts');
  await sleep(WATCHED_MS);
  const pauses = servers.flatMap(({ askedAtMs }) => pausesIn(askedAtMs));
  const metrics = await Promise.all(all.map((each) => each.metrics()));

  const [killed, heir] = all;
  await killed?.kill();
  for (const server of servers) server.trust(SERVER_CA);
  // Node closes the connection of a client that it refuses, and says nothing.
  await untilAll('Unknown');
  const lost = owners.filter((owner) => owner === (killed && identityOf(killed))).length;
  return { pauses, metrics, lost, found: bugs(heir?.logs ?? []) };
});

/** From the end of each round to the next one. */
function pausesIn(atMs: readonly number[]): number[] {
  return atMs.slice(1).flatMap((each, index) => {
    const pause = each - (atMs[index] ?? each);
    return pause > WITHIN_A_ROUND_MS ? [pause] : [];
  });
}

test('a verifier is asked as often as with one replica', async () => {
  const { pauses } = await story();
  console.log(`# pauses: ${pauses.map((each) => Math.round(each))} ms`);
  assert.ok(pauses.length >= 2 * NAMESPACES, 'there were rounds to compare');
  assert.ok(Math.min(...pauses) >= SHORTEST_PAUSE_MS - TOLERANCE_MS, `${Math.min(...pauses)} ms`);
});

test('each verifier has its series at one replica', async () => {
  const { metrics } = await story();
  const shown = metrics.map((text) =>
    [...text.matchAll(/^certwheel_verifier_accepts_rogue\{authority="([^"]+)"/gm)].map(([, authority]) => authority),
  );
  const [one, other] = shown.map((each) => new Set(each));
  assert.is((one?.size ?? 0) + (other?.size ?? 0), NAMESPACES);
  assert.equal(
    [...(one ?? [])].filter((each) => other?.has(each)),
    [],
  );
});

test('the verifiers of a replica that was killed are asked by the one that takes over', async () => {
  const { lost, found } = await story();
  assert.ok(lost > 0, 'some were asked by the one that was killed');
  assert.equal(found, []);
});

test.run();
