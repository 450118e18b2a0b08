import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../layout.ts';
import { LogPart, waitUntilReady } from '../ready.ts';
import type { Sandbox } from './sandbox.ts';

export const PAUSE_IMAGE = 'certwheel.io/test/pause:1';
export const POD_RANGE = '10.244.0.0/24';

export interface Containerd {
  readonly socket: string;
  /** Makes the images of an OCI archive known: under the names that they bear, or as `repository` with their tags. */
  importImage(archivePath: string, repository?: string): void;
}

/** Starts it, and waits until it answers. */
export async function startContainerd(sandbox: Sandbox, layout: Layout): Promise<Containerd> {
  const folder = join(layout.folder, 'containerd');
  const { configPath, socket } = prepare(folder);
  const log = new LogPart(layout.log('containerd'));
  const containerd = sandbox.guard.run('containerd', 'containerd', [`--config=${configPath}`], { logPath: log.path });
  const ctr = (...args: readonly string[]) => sandbox.run('ctr', '--address', socket, '--namespace', 'k8s.io', ...args);
  await waitUntilReady(containerd, log, async () => ctr('version') !== '');
  return {
    socket,
    importImage: (archivePath, repository) => {
      ctr('images', 'import', ...(repository === undefined ? [] : ['--base-name', repository]), archivePath);
    },
  };
}

/** Writes the configuration of containerd, and of the network of pods. */
function prepare(folder: string): { configPath: string; socket: string } {
  const file = (name: string) => join(folder, name);
  mkdirSync(file('cni'), { recursive: true });
  const socket = file('containerd.sock');
  writeFileSync(file('cni/10-pods.conflist'), JSON.stringify(networkOfPods(folder)));
  writeFileSync(file('containerd.toml'), configuration(folder, socket));
  return { configPath: file('containerd.toml'), socket };
}

function configuration(folder: string, socket: string): string {
  return `version = 2
root = "${folder}/root"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "${socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${PAUSE_IMAGE}"
disable_apparmor = true
# Lowering a score takes a capability that root has not on every machine.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "${folder}/cni"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`;
}

/** A pair of interfaces for each pod, and ports of the host where a pod asks for one. */
function networkOfPods(folder: string): object {
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipMasq: true,
        ipam: {
          type: 'host-local',
          dataDir: join(folder, 'addresses'),
          ranges: [[{ subnet: POD_RANGE }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}
