import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Guard, GuardedProcess } from '../guard.ts';

/**
 * Namespaces of the node's own for the network, for mounts and for processes. They end, with all that is in them, when
 * their first process does: no mount, interface, rule or process of a node can outlive it, however it ends.
 */
export interface Sandbox {
  /** Of the node: reached from here and from its pods. */
  readonly address: string;
  /** Runs programs inside. */
  readonly guard: Guard;
  /** Runs a program inside to its end, and answers what it printed. */
  run(program: string, ...args: readonly string[]): string;
  stop(): Promise<void>;
}

/** What containerd, CNI and the kubelet write to fixed places goes to memory and is gone with the namespace. */
const SET_UP = `
set -e
scratch=$1; pause=$2
mkdir -p "$scratch"
mount -t tmpfs tmpfs "$scratch"
for folder in /var/lib /var/log; do
  name=$(basename "$folder")
  mkdir "$scratch/$name" "$scratch/$name.work"
  mount -t overlay overlay -o "lowerdir=$folder,upperdir=$scratch/$name,workdir=$scratch/$name.work" "$folder"
done
mount -t tmpfs tmpfs /run
mkdir -p /run/lock
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
touch "$scratch/ready"
exec "$pause"
`;

const READY_WITHIN_MS = 10_000;

/** Makes the namespaces and connects them to this machine; `pause` is the program that holds them. */
export async function startSandbox(guard: Guard, folder: string, pause: string): Promise<Sandbox> {
  const scratch = join(folder, 'scratch');
  const flags = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child=KILL'];
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const holder = guard.run(
    'sandbox',
    'unshare',
    [...flags, '--', 'sh', '-c', SET_UP, 'certwheel-node', scratch, pause],
    {
      logPath: join(folder, 'logs', 'sandbox.log'),
    },
  );
  const enter = entrance(holder.pid);
  await untilReady(holder, () => spawnSync('nsenter', [...enter, 'test', '-e', join(scratch, 'ready')]).status === 0);
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync('nsenter', [...enter, program, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const { name, inner, outer } = connect(holder.pid, basename(folder));
  run('ip', 'address', 'add', inner, 'peer', outer, 'dev', UPLINK);
  run('ip', 'link', 'set', UPLINK, 'up');
  // Addresses of services are rewritten on the way out, which takes a way out.
  run('ip', 'route', 'add', 'default', 'via', outer);
  return {
    address: inner,
    guard: {
      run: (name, program, args, options) => guard.run(name, 'nsenter', [...enter, program, ...args], options),
      close: () => guard.close(),
    },
    run,
    async stop() {
      await holder.stop(0);
      // The kernel would do so itself, in its own time.
      spawnSync('ip', ['link', 'delete', name]);
    },
  };
}

/** By the files of the holder, which is itself outside of the namespace of processes that its child is the first of. */
function entrance(pid: number): string[] {
  const file = (name: string) => `/proc/${pid}/ns/${name}`;
  return [`--net=${file('net')}`, `--mount=${file('mnt')}`, `--pid=${file('pid_for_children')}`, '--'];
}

const UPLINK = 'uplink';

/** A pair of interfaces between here and there; the kernel removes ours together with the other one. */
function connect(pid: number, run: string): { name: string; inner: string; outer: string } {
  let complaint = '';
  for (let number = 1; number < 255; number++) {
    const name = `certwheel${number}`;
    const args = ['link', 'add', name, 'type', 'veth', 'peer', 'name', UPLINK, 'netns', String(pid)];
    const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
    if (status !== 0) {
      complaint = stderr;
      continue;
    }
    // Of the block for benchmarks of networks, which no network uses (RFC 2544).
    const [inner, outer] = [`198.18.${number}.1`, `198.18.${number}.2`];
    execFileSync('ip', ['address', 'add', outer, 'peer', inner, 'dev', name]);
    // The alias is for people: it tells whose it is.
    execFileSync('ip', ['link', 'set', name, 'up', 'alias', run]);
    return { name, inner, outer };
  }
  throw new Error(`No network interface could be made for the node: ${complaint.trim()}`);
}

async function untilReady(holder: GuardedProcess, isReady: () => boolean): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (!isReady()) {
    if (holder.ending() !== undefined || performance.now() > deadline)
      throw new Error('The namespaces of the node could not be made: see sandbox.log.');
    await sleep(20);
  }
}
