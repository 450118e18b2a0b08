import { join } from 'node:path';
import { eventually } from '../../e2e/support/eventually.ts';
import { type Authority, authority, type Credentials, SERVER } from '../../interop/support/authority.ts';
import { available } from '../../interop/support/available.ts';
import type { ChainLength } from '../../interop/support/cells.ts';
import { type Mount, mountSecret, secretFiles } from '../../interop/support/mount.ts';
import type { RunningServer } from '../../interop/support/reader.ts';
import { type Answer, type Call, request } from '../../interop/support/request.ts';
import { newFolder, startOn } from '../../interop/support/stage.ts';
import type { CrlPlace, CrlServer, More } from './crl-servers.ts';
import { listsOf } from './lists.ts';

/** A server that reads revocation lists, and the CA of its clients. */
export interface CrlStage {
  readonly ca: Authority;
  readonly server: RunningServer;
  readonly place: CrlPlace;
  readonly own: Credentials;
  readonly mount: Mount;
  callOf(client: Credentials): Call;
  /** Writes these lists in place of the former ones and makes the server load them; `trusted` are the CAs of clients from now on. */
  publish(lists: readonly string[], trusted?: string): Promise<void>;
  /** Publishes a list with this serial number, and waits until a new connection of its client is refused; how long that took. */
  revoke(client: Credentials): Promise<number>;
}

const LIST = 'ca.crl';

/** From the moment at which a list is on the server's disk; docs/revocation.md promises it. */
export const REFUSED_WITHIN_MS = 5_000;

/** Those of the servers that can be had on this machine; a skipped test stands for each of the others. */
export async function whereAvailable(programs: readonly CrlServer[]): Promise<readonly CrlServer[]> {
  const nowhere = { crl: '/none', folder: '/none' };
  const found: CrlServer[] = [];
  for (const program of programs)
    if ((await available(program.title, () => program.install(nowhere))) !== undefined) found.push(program);
  return found;
}

/**
 * With `more` in its configuration, and at first with an empty list of each CA: of a root and an intermediate, which signs, unless
 * the chain is another one.
 */
export async function crlStage(program: CrlServer, more: More = {}, chain: ChainLength = 2): Promise<CrlStage> {
  const ca = await authority(chain);
  const own = await ca.issue(SERVER);
  const content = (lists: readonly string[], trusted = own.ca) => ({
    ...secretFiles({ ...own, ca: trusted }),
    [LIST]: lists.join(''),
  });
  const mount = mountSecret(join(newFolder(), 'tls'), content(await listsOf(ca.holders)), program.permissions);
  const place = { folder: newFolder(), crl: join(mount.directory, LIST) };
  const server = await startOn(await program.install(place, more), mount, { folder: place.folder });
  const callOf = (client: Credentials): Call => ({ port: server.port, ca: own.ca, client });
  const publish = async (lists: readonly string[], trusted?: string) => {
    mount.swap(content(lists, trusted));
    await program.load(server, place, lists.join(''));
  };
  const revoke = async (client: Credentials) => {
    const lists = await listsOf(ca.holders, { revoked: [client.serial] });
    const startMs = performance.now();
    await publish(lists);
    await eventually('the revoked client is refused', async () => !(await isServed(callOf(client), program.ask)));
    return performance.now() - startMs;
  };
  return { ca, server, place, own, mount, callOf, publish, revoke };
}

/** Whether a request over a new connection is answered with 200. */
export async function isServed(call: Call, ask: (call: Call) => Promise<Answer> = request): Promise<boolean> {
  const status = await ask({ ...call, settleMs: 50 }).then(
    (answer) => answer.status,
    () => 0,
  );
  return status === 200;
}
