import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../../e2e/support/eventually.ts';
import { authority, type Credentials, SERVER } from './authority.ts';
import type { Proof } from './prove-server.ts';
import type { ServerReader } from './reader.ts';
import type { Call } from './request.ts';
import { WORKS } from './results.ts';
import { startOn } from './stage.ts';
import { underTraffic } from './traffic.ts';

/** New serving files and new client CAs under requests. Answers the results, which the tests fill in. */
export function proveRotations(proof: Proof): Readonly<Record<string, string>> {
  const { reader } = proof;
  const rotations: Record<string, string> = {};
  const rotates = reader.reloads === undefined ? test.skip : test;
  if (reader.reloads === undefined) console.log(`rotations are skipped: ${reader.title} must be restarted`);
  const atMost = reader.loses === undefined ? ', and none fails' : '';
  rotates(`${reader.title} loads new serving files under requests${atMost}`, async () => {
    rotations['serving files'] = await servingFiles(proof);
  });
  if (reader.clientCaNeedsRestart)
    rotates(`${reader.title} uses a new list of client CAs after a restart, and not before`, async () => {
      rotations['client CA'] = await clientCaAfterRestart(proof);
    });
  else
    rotates(`${reader.title} loads a new list of client CAs under requests${atMost}`, async () => {
      rotations['client CA'] = await clientCa(proof);
    });
  return rotations;
}

async function servingFiles({ reader, request, ca, content, stage }: Proof): Promise<string> {
  const first = await ca().issue(SERVER);
  const client = await ca().issue();
  const { server, mount } = await stage(first);
  const call = (): Call => ({ port: server.port, ca: first.ca, client });
  const rotate = async () => {
    for (let rotation = 1; rotation <= 3; rotation++) {
      const next = await ca().issue(SERVER);
      mount.swap(await content(next));
      await server.reload();
      await eventually(`${reader.title} presents the certificate of rotation ${rotation}`, async () => {
        const { serverSerial } = await request(call());
        return serverSerial === next.serial;
      });
    }
  };
  const { requests, failures } = await underTraffic(call, rotate, request);
  console.log(`# ${requests} requests over three rotations of the serving files`);
  await server.stop();
  return rotated(reader, failures);
}

async function clientCa({ reader, request, ca, content, stage }: Proof): Promise<string> {
  const own = await ca().issue(SERVER);
  const next = await authority(2, 'Next CA');
  const [former, later] = [await ca().issue(), await next.issue()];
  const { server, mount } = await stage(own);
  const { port } = server;
  let client = former;
  const trust = async (pem: string, isLoaded: () => Promise<boolean>) => {
    mount.swap(await content({ ...own, ca: pem }));
    await server.reload();
    await eventually(`${reader.title} uses the new list of client CAs`, () => always(isLoaded));
  };
  const isAccepted = accepts(request, port, own.ca);
  const { requests, failures } = await underTraffic(
    () => ({ port, ca: own.ca, client }),
    async (settled) => {
      assert.is(await isAccepted(later), false);
      await trust(own.ca + next.ca, () => isAccepted(later));
      client = later;
      await settled();
      await trust(next.ca, async () => !(await isAccepted(former)));
    },
    request,
  );
  console.log(`# ${requests} requests over a rotation of the client CA`);
  await server.stop();
  return rotated(reader, failures);
}

async function clientCaAfterRestart({ program, request, ca, content, stage }: Proof): Promise<string> {
  const own = await ca().issue(SERVER);
  const next = await authority(2, 'Next CA');
  const [former, later] = [await ca().issue(), await next.issue()];
  const { server, mount } = await stage(own);
  const { port } = server;
  const isAccepted = accepts(request, port, own.ca);
  mount.swap(await content({ ...own, ca: own.ca + next.ca }));
  await server.reload();
  await sleep(LONG_ENOUGH_MS);
  assert.equal([await isAccepted(former), await isAccepted(later)], [true, false]);
  await server.stop();
  const again = await startOn(program, mount, { port });
  assert.equal([await isAccepted(former), await isAccepted(later)], [true, true]);
  await again.stop();
  return 'needs a restart';
}

/** A program that polls its files does so each second. */
const LONG_ENOUGH_MS = 3_000;

function accepts(request: Proof['request'], port: number, ca: string) {
  return (client: Credentials): Promise<boolean> =>
    request({ port, ca, client, settleMs: 20 }).then(
      ({ status }) => status === 200,
      () => false,
    );
}

/** What docs/interop.md says about a rotation. Fails for every lost request that isn't expected of this server. */
function rotated({ loses }: ServerReader, failures: readonly string[]): string {
  assert.equal(
    failures.filter((each) => loses === undefined || !loses.message.test(each)),
    [],
  );
  if (loses !== undefined) console.log(`# ${failures.length} requests were lost`);
  return loses?.note ?? WORKS;
}

/** Whether it is so many times in a row: after a reload, the former processes of a server accept a few more connections. */
async function always(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let time = 0; time < IN_A_ROW; time++) if (!(await isSo())) return false;
  return true;
}

const IN_A_ROW = 10;
