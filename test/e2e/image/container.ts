import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { onStop } from '../../teardown.ts';
import type { LogLine } from '../support/controller-process.ts';
import type { UnpackedImage } from './archive.ts';

/**
 * What a container runtime would do, as far as it matters to the image: a mount namespace, whose mounts go with it, the
 * root filesystem read-only, /proc, the folder $2 at /tmp where there is one, and then the user of the image, with no
 * capabilities and no way to get any.
 */
const ENTER = `
root=$1 folder=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
[ -z "$folder" ] || mount --bind "$folder" "$root/tmp"
mount -o remount,bind,ro "$root"
[ -z "$folder" ] || mount -o remount,bind,ro "$root/tmp"
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
`;

export interface Container {
  readonly logs: readonly LogLine[];
  readonly startedMs: number;
  readonly exited: Promise<number | null>;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
}

/** Runs the image's entrypoint until it ends. */
export async function runOnce(
  image: UnpackedImage,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const child = start(image, args, undefined, env);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'exit'),
  ]);
  return { stdout, stderr, code: code as number | null };
}

/** Starts the image's entrypoint; `folder` is mounted at /tmp, read-only. */
export function launch(
  image: UnpackedImage,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Container {
  const startedMs = performance.now();
  const child = start(image, args, folder, env);
  const logs: LogLine[] = [];
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    if (process.env.DEBUG) console.error(line);
    logs.push(line.startsWith('{') ? JSON.parse(line) : { level: 'none', message: line });
  });
  // Not 'exit': what it wrote last would still be unread.
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return {
    logs,
    startedMs,
    exited,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

function start(
  image: UnpackedImage,
  args: readonly string[],
  folder: string | undefined,
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const command = [image.root, folder ?? '', image.user, ...image.entrypoint, ...args];
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-euc', ENTER, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Not the PATH of these tests: the image has to do with what it says itself.
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      ...Object.fromEntries(image.env.map((each) => each.split('='))),
      ...env,
    },
  });
  onStop(() => child.kill('SIGKILL'));
  return child;
}
