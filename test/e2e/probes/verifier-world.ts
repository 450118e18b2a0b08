/** An authority with verifiers, and real servers in their place. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuthorityStatus, VerifierStatus } from '../../../src/api/generated/types.ts';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { authority, type Credentials } from '../../interop/support/authority.ts';
import { Unavailable } from '../../interop/support/available.ts';
import { mountSecret, type SecretFiles, secretFiles } from '../../interop/support/mount.ts';
import type { ServerReader } from '../../interop/support/reader.ts';
import { startOn } from '../../interop/support/stage.ts';
import { onStop } from '../../teardown.ts';
import { pairData, putCaSecret } from '../support/ca-secret.ts';
import { authorityStatusOf } from '../support/objects.ts';
import type { CaFiles } from '../support/openssl.ts';
import { eventually, type World } from '../support/world.ts';

export const FLAGS = ['--probes', '--allow-loopback-probes', '--tenant-probe-addresses=127.0.0.0/8'];
export const INTERVAL = '10s';

const servers = await authority(1, 'CA of servers');
/** The CA of the servers' own certificates. */
export const SERVER_CA = servers.ca;

export function serverPair(lifeMs?: number): Promise<Credentials> {
  return servers.issue({
    ...(lifeMs === undefined ? {} : { lifeMs }),
    names: { ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'] },
    usages: ['digital signature', 'server auth'],
  });
}

export interface Verifying {
  readonly port: number;
  /** Has it trust these CAs (PEM) from now on, in its own way; `more` are files that it reads in place of those made of the PEM. */
  trust(clientCas: string, more?: SecretFiles): Promise<void>;
}

/** A server of test/interop that accepts clients of these CAs; the reason where the program can't be had. */
export async function startVerifier(
  reader: Pick<ServerReader, 'install' | 'outputs'>,
  clientCas: string,
  more: SecretFiles = {},
): Promise<Verifying | string> {
  try {
    const program = await reader.install();
    const own = await serverPair();
    const files = async (ca: string, instead: SecretFiles) => ({
      ...secretFiles({ ...own, ca }),
      ...(await reader.outputs?.({ ...own, ca })),
      ...instead,
    });
    const folder = temporary();
    const mount = mountSecret(join(folder, 'tls'), await files(clientCas, more));
    const server = await startOn(program, mount);
    onStop(() => server.stop());
    return {
      port: server.port,
      trust: async (ca, instead = {}) => {
        mount.swap(await files(ca, instead));
        await server.reload();
      },
    };
  } catch (error) {
    if (error instanceof Unavailable) return error.message;
    throw error;
  }
}

export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-verifier-'));
  onStop(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function file(name: string, content: string): string {
  const path = join(temporary(), name);
  writeFileSync(path, content);
  return path;
}

export const HTTP = { http: { acceptStatus: [200], rejectStatus: [400] } };

/** A verifier of a spec at a port of this host. */
export function verifierAt(name: string, port: number, protocol: object = HTTP) {
  const serverCA = { configMap: { name: 'server-ca' } };
  return { name, address: `127.0.0.1:${port}`, serverCA, protocol, interval: INTERVAL };
}

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true } as const;

/** What `serverCA` of verifierAt names. */
export async function putServerCa({ client }: World, namespace: string): Promise<void> {
  await client.apply(CONFIG_MAPS, { metadata: { namespace, name: 'server-ca' }, data: { 'ca.crt': SERVER_CA } });
}

/** The authority `ca` of that CA pair with these verifiers. */
export async function createWithVerifiers(world: World, namespace: string, ca: CaFiles, verifiers: readonly object[]) {
  await putServerCa(world, namespace);
  await putCaSecret(world, namespace, 'ca-pair', pairData(ca));
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { secret: { name: 'ca-pair' }, trust: { verifiers } },
  });
}

export function verdictsIn({ generations = [] }: VerifierStatus): Record<number, string> {
  return Object.fromEntries(generations.map(({ version, verdict }) => [version, verdict]));
}

/** Until status says so of the verifier; returns what it says. */
export function untilVerdict(
  world: World,
  namespace: string,
  name: string,
  version: number,
  verdict: string,
  timeoutMs = 60_000,
): Promise<VerifierStatus> {
  let last: AuthorityStatus | undefined;
  return eventually(
    `${name} has ${verdict} for generation ${version}`,
    async () => {
      last = await authorityStatusOf(world, namespace, 'ca');
      const found = last.verifiers?.find((each) => each.name === name);
      return found !== undefined && verdictsIn(found)[version] === verdict && found;
    },
    timeoutMs,
  ).catch((error: Error) => {
    throw new Error(`${error.message}; status says ${JSON.stringify(last?.verifiers)}`);
  });
}
