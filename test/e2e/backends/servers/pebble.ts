import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createIssuer, issueServer } from '../../../cluster/certificates.ts';
import { startGuard } from '../../../cluster/guard.ts';
import { freePort } from '../../../cluster/ports.ts';
import { LogPart, waitUntilReady } from '../../../cluster/ready.ts';
import { PEBBLE_VERSION } from '../../../programs/catalog.ts';
import { ensureProgram } from '../../../programs/programs.ts';
import type { ChallengeServer } from './challenges.ts';

const HOST = '127.0.0.1';

/** Let's Encrypt's Pebble, strict, with its refusals of good nonces. Its certificates are for servers alone. */
export interface Pebble {
  readonly directory: string;
  /** PEM of the CA of its TLS certificate. */
  readonly ca: string;
  /** PEM of the root that signs, or of that of another chain which it offers. */
  root(index?: number): Promise<string>;
  log(): string;
  stop(): Promise<void>;
}

export interface PebbleOptions {
  /** External account keys by their ids, in base64url. */
  readonly accountKeys?: Readonly<Record<string, string>>;
  /** Further chains that it offers. */
  readonly alternateRoots?: number;
  /** The share of nonces that it refuses, in percent. */
  readonly badNonces?: number;
}

/** `challenges` is where it looks for the answers to its challenges. */
export async function startPebble(
  challenges: Pick<ChallengeServer, 'dns' | 'httpPort'>,
  options: PebbleOptions = {},
): Promise<Pebble> {
  const program = await ensureProgram('pebble');
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-pebble-'));
  const guard = startGuard(folder, { removeFolder: true });
  const [port, managementPort, tlsPort] = [await freePort(), await freePort(), await freePort()];
  const issuer = createIssuer('CA of the TLS certificate of Pebble');
  const { certificatePem, keyPem } = issueServer(issuer, [HOST]);
  const path = (name: string) => join(folder, name);
  writeFileSync(path('server.crt'), certificatePem);
  writeFileSync(path('server.key'), keyPem, { mode: 0o600 });
  const config = {
    listenAddress: `${HOST}:${port}`,
    managementListenAddress: `${HOST}:${managementPort}`,
    certificate: path('server.crt'),
    privateKey: path('server.key'),
    httpPort: challenges.httpPort,
    tlsPort,
    externalAccountBindingRequired: options.accountKeys !== undefined,
    externalAccountMACKeys: options.accountKeys ?? {},
    retryAfter: { authz: 1, order: 1 },
    keyAlgorithm: 'ecdsa',
    profiles: {
      day: { description: 'a day', validityPeriod: 86_400 },
      hour: { description: 'an hour', validityPeriod: 3_600 },
    },
  };
  writeFileSync(path('config.json'), JSON.stringify({ pebble: config }));
  const log = new LogPart(path('pebble.log'));
  const environment = {
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_WFE_NONCEREJECT: String(options.badNonces ?? 20),
    PEBBLE_ALTERNATE_ROOTS: String(options.alternateRoots ?? 0),
  };
  const args = ['-config', path('config.json'), '-dnsserver', challenges.dns, '-strict'];
  const started = guard.run('pebble', program, args, { folder, environment, logPath: log.path });
  const get = (url: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    // Strict as it is, it answers nobody who doesn't say what they are.
    const options = { ca: issuer.certificatePem, agent: false, headers: { 'user-agent': 'test' } };
    const call = request(url, options, (answer) => {
      text(answer).then(resolve, reject);
    });
    call.on('error', reject);
    call.end();
    return promise;
  };
  const directory = `https://${HOST}:${port}/dir`;
  await waitUntilReady(started, log, async () => (await get(directory)).includes('newOrder'));
  console.log(`# Pebble ${PEBBLE_VERSION} at ${directory}`);
  return {
    directory,
    ca: issuer.certificatePem,
    root: (index = 0) => get(`https://${HOST}:${managementPort}/roots/${index}`),
    log: () => log.read(),
    stop: async () => {
      await guard.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
