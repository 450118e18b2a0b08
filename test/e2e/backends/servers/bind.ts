import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type GuardedProcess, startGuard } from '../../../cluster/guard.ts';
import { freePort } from '../../../cluster/ports.ts';
import { LogPart, waitUntilReady } from '../../../cluster/ready.ts';
import { debianLibraries, unpackDebian } from '../../../programs/debian.ts';

const run = promisify(execFile);

/** With the libraries that Debian's minimal image lacks. */
const PACKAGES = [
  'bind9',
  'bind9-libs',
  'bind9-utils',
  'bind9-dnsutils',
  'libfstrm0',
  'libjemalloc2',
  'liblmdb0',
  'libmaxminddb0',
  'libprotobuf-c1',
  'libuv1',
  'libedit2',
] as const;

/** The programs of BIND 9, from Debian's packages. */
export interface BindPrograms {
  readonly named: string;
  readonly dig: string;
  readonly nsupdate: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly version: string;
}

export async function bindPrograms(): Promise<BindPrograms> {
  const folder = await unpackDebian(...PACKAGES);
  const environment = debianLibraries(folder);
  const named = join(folder, 'usr/sbin/named');
  const { stdout } = await run(named, ['-v'], { env: { ...process.env, ...environment } });
  return {
    named,
    dig: join(folder, 'usr/bin/dig'),
    nsupdate: join(folder, 'usr/bin/nsupdate'),
    environment,
    version: stdout.trim(),
  };
}

export interface TestKey {
  readonly name: string;
  /** As BIND calls it, such as hmac-sha256. */
  readonly algorithm: string;
  /** In base64. */
  readonly secret: string;
}

export interface TestZone {
  readonly name: string;
  /** Records besides the SOA and the NS, in the syntax of a zone file. */
  readonly records?: readonly string[];
  /** The rules of `update-policy`; without any the zone can't be updated. */
  readonly policy?: readonly string[];
  /** The port of the server that this zone is copied from; without it this server is its primary. */
  readonly primaryPort?: number;
  /** Further statements. */
  readonly options?: string;
}

/** A named that answers and takes updates on 127.0.0.1, by UDP and TCP. */
export interface Bind {
  readonly port: number;
  /** What dig prints with +short, by line. */
  dig(...args: readonly string[]): Promise<readonly string[]>;
  /** Sends these commands with a key by nsupdate. */
  nsupdate(key: TestKey, ...commands: readonly string[]): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** Starts one on a free port, or on the given one. */
export async function startBind(
  programs: BindPrograms,
  {
    keys = [],
    zones,
    port: given,
  }: { readonly keys?: readonly TestKey[]; readonly zones: readonly TestZone[]; readonly port?: number },
): Promise<Bind> {
  const folder = mkdtempSync(join(tmpdir(), 'certwheel-bind-'));
  const guard = startGuard(folder, { removeFolder: true });
  const port = given ?? (await freePort());
  const { environment } = programs;
  writeFileSync(join(folder, 'named.conf'), configuration(folder, port, keys, zones));
  for (const zone of zones) if (zone.primaryPort === undefined) writeFileSync(join(folder, zone.name), zoneFile(zone));
  const log = new LogPart(join(folder, 'named.log'));
  const options = { folder, environment: { ...environment }, logPath: log.path };
  const args = ['-g', '-n', '1', '-c', join(folder, 'named.conf'), '-p', String(port)];
  const started: GuardedProcess = guard.run('named', programs.named, args, options);
  const env = { ...process.env, ...environment };
  const dig = async (...query: readonly string[]) => {
    const { stdout } = await run(programs.dig, ['@127.0.0.1', '-p', String(port), '+short', '+tcp', ...query], { env });
    return stdout.split('\n').filter((line) => line !== '');
  };
  const stop = async () => {
    await guard.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(started, log, async () => (await dig('version.bind', 'CH', 'TXT')).length > 0);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    dig,
    nsupdate: async ({ name, algorithm, secret }, ...commands) => {
      const script = [`server 127.0.0.1 ${port}`, ...commands, 'send', ''].join('\n');
      const child = run(programs.nsupdate, ['-v', '-y', `${algorithm}:${name}:${secret}`], { env });
      child.child.stdin?.end(script);
      await child;
    },
    log: () => readFileSync(log.path, 'utf8'),
    stop,
  };
}

function configuration(folder: string, port: number, keys: readonly TestKey[], zones: readonly TestZone[]): string {
  const key = ({ name, algorithm, secret }: TestKey) =>
    `key "${name}" { algorithm ${algorithm}; secret "${secret}"; };`;
  const zone = ({ name, policy = [], primaryPort, options = '' }: TestZone) =>
    primaryPort === undefined
      ? `zone "${name}" { type primary; file "${name}"; update-policy { ${policy.map((each) => `${each};`).join(' ')} }; ${options} };`
      : `zone "${name}" { type secondary; primaries port ${primaryPort} { 127.0.0.1; }; ${options} };`;
  return [
    `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };`,
    '  pid-file none; session-keyfile "session.key"; recursion no; dnssec-validation no; notify explicit;',
    '  allow-transfer { any; }; geoip-directory none; };',
    'controls { };',
    ...keys.map(key),
    ...zones.map(zone),
    '',
  ].join('\n');
}

function zoneFile({ name, records = [] }: TestZone): string {
  return [
    '$TTL 60',
    `@ IN SOA ns1.${name}. admin.${name}. 1 3600 600 86400 60`,
    `@ IN NS ns1.${name}.`,
    'ns1 IN A 127.0.0.1',
    ...records,
    '',
  ].join('\n');
}
