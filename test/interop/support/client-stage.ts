import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../cluster/ports.ts';
import { HOUR } from '../../pki/make.ts';
import { onStop } from '../../teardown.ts';
import { startGoPeer } from '../servers/go.ts';
import { authority, type Credentials, SERVER } from './authority.ts';
import type { TlsVersion } from './cells.ts';
import type { ClientFailure, ClientReader, PeerSetup } from './client.ts';
import { mountSecret, type SecretFiles, secretFiles } from './mount.ts';

/** A server, and the mounted Secret of a client. */
export interface ClientStage {
  readonly port: number;
  /** Where the client's Secret is mounted. */
  readonly directory: string;
  swapClient(own: Credentials): Promise<void>;
  swapServer(server: Credentials): Promise<void>;
  /** What the server has logged. */
  log(): string;
  stop(): Promise<void>;
}

interface Peers {
  /** What the client has mounted; its `ca` is what it trusts. */
  readonly own: Credentials;
  /** What the server presents; its `ca` is what its clients' certificates must lead to. */
  readonly server: Credentials;
  /** The only version; both unless given. */
  readonly tls?: TlsVersion | undefined;
  /** In place of the files of `own`. */
  readonly files?: SecretFiles | undefined;
  /** How long the server keeps a connection. A second, so that a client gets to another certificate of the server. */
  readonly maxAge?: string;
  /** How long the server reads on before it closes a connection, so that its alert reaches the client. */
  readonly linger?: string;
}

export async function clientStage(
  reader: ClientReader,
  { own, server, tls, files, maxAge = '1s', linger = '0' }: Peers,
): Promise<ClientStage> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-interop-'));
  const remove = onStop(() => rmSync(folder, { recursive: true, force: true }));
  const outputs = async (credentials: Credentials) => ({
    ...secretFiles(credentials),
    ...(await reader.outputs?.(credentials)),
  });
  const serving = mountSecret(join(folder, 'server'), secretFiles(server), reader.permissions);
  const mounted = mountSecret(join(folder, 'client'), files ?? (await outputs(own)), reader.permissions);
  const scratch = join(folder, 'scratch');
  mkdirSync(scratch);
  const running = await (reader.startServer ?? startHttps)({
    directory: serving.directory,
    clientCa: join(serving.directory, 'ca.crt'),
    port: await freePort(),
    folder: scratch,
    tls,
    maxAge,
    linger,
  });
  return {
    port: running.port,
    directory: mounted.directory,
    swapClient: async (next) => mounted.swap(await outputs(next)),
    swapServer: async (next) => {
      serving.swap(secretFiles(next));
      await running.reload();
    },
    log: running.log,
    stop: async () => {
      await running.stop();
      await remove();
    },
  };
}

const startHttps = (setup: PeerSetup) => startGoPeer('https-server', setup);

/** A client and a server that can't talk, for one reason. */
export async function failingStage(
  reader: ClientReader,
  failure: ClientFailure,
  tls: TlsVersion,
): Promise<ClientStage> {
  const ca = await authority(2, 'Shop CA');
  const other = await authority(2, 'Former CA');
  const good = await ca.issue();
  const serving = await ca.issue(SERVER);
  const stage = (peers: Partial<Peers>) =>
    clientStage(reader, { own: good, server: serving, tls, linger: '200ms', ...peers });
  switch (failure) {
    case 'expired':
      return stage({ own: await ca.issue({ lifeMs: -60_000 }) });
    case 'not yet valid':
      return stage({ own: await ca.issue({ aheadMs: HOUR }) });
    case 'unknown CA':
      return stage({ own: { ...(await other.issue()), ca: ca.ca } });
    case 'for server auth alone':
      return stage({ own: await ca.issue({ usages: ['digital signature', 'server auth'] }) });
    case 'key mismatch':
      return stage({ own: { ...good, key: (await ca.issue()).key } });
    case 'wrong format':
      return stage({ files: await inDer(reader, good) });
    case 'server: expired':
      return stage({ server: await ca.issue({ ...SERVER, lifeMs: -60_000 }) });
    case 'server: not yet valid':
      return stage({ server: await ca.issue({ ...SERVER, aheadMs: HOUR }) });
    case 'server: unknown CA':
      return stage({ own: { ...good, ca: other.ca } });
    case 'server: another name':
      return stage({ server: await ca.issue({ ...SERVER, names: { dnsNames: ['other.shop.svc'] } }) });
    case 'server: for client auth alone':
      return stage({ server: await ca.issue({ ...SERVER, usages: ['digital signature', 'client auth'] }) });
  }
}

/** The certificate in DER where PEM belongs, or PEM where a key store belongs. */
async function inDer(reader: ClientReader, own: Credentials): Promise<SecretFiles> {
  const pem = secretFiles(own);
  const stores = Object.keys((await reader.outputs?.(own)) ?? {});
  if (stores.length > 0) return { ...pem, ...Object.fromEntries(stores.map((name) => [name, own.certificate])) };
  const der = Buffer.from(own.certificate.replaceAll(/-----[^-]*-----|\s/g, ''), 'base64');
  return { ...pem, 'tls.crt': der };
}
