import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { withLock } from '../../programs/lock.ts';

/** What a node runs on, by the file that tells whether its Debian package is there. */
const PACKAGES: Readonly<Record<string, string>> = {
  containerd: '/usr/bin/containerd',
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': '/usr/lib/cni/ptp',
  iptables: '/usr/sbin/iptables',
  conntrack: '/usr/sbin/conntrack',
  iproute2: '/bin/ip',
  nginx: '/usr/sbin/nginx',
  curl: '/usr/bin/curl',
  'ca-certificates': '/etc/ssl/certs/ca-certificates.crt',
};

/** Namespaces, mounts and pods take root and Linux: says so plainly where they are missing, and installs the rest. */
export async function ensurePackages(): Promise<void> {
  if (process.platform !== 'linux') throw new Error(`A real node needs Linux; this is ${process.platform}.`);
  if (process.getuid?.() !== 0)
    throw new Error('A real node needs root, for namespaces and mounts: run it with sudo, or in a virtual machine.');
  if (missing().length === 0) return;
  await withLock('/tmp/certwheel-packages.lock', async () => {
    const names = missing();
    if (names.length === 0) return;
    process.stderr.write(`installing the Debian packages ${names.join(', ')}\n`);
    apt('update', '--quiet=2');
    apt('install', '--quiet=2', '--yes', '--no-install-recommends', ...names);
  });
  const still = missing();
  if (still.length > 0) throw new Error(`These are still missing after apt-get install: ${still.join(', ')}.`);
}

function missing(): string[] {
  return Object.entries(PACKAGES).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
}

function apt(...args: readonly string[]): void {
  // Run level 1: invoke-rc.d then starts none of the services that come with them, which a node has no use for.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const { status, error, stderr, stdout } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  if (error !== undefined)
    throw new Error(
      `A real node needs the programs of the Debian packages ${missing().join(', ')}; there is no apt-get here, so install them yourself.`,
    );
  if (status !== 0)
    throw new Error(`apt-get ${args.join(' ')} failed (exit code ${status}):\n${`${stdout}${stderr}`.slice(-2000)}`);
}
