import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { issueClient } from '../certificates.ts';
import { cgroupOf, makeCgroups } from '../cgroups.ts';
import type { ControlPlane } from '../control-plane.ts';
import type { GuardedProcess } from '../guard.ts';
import type { Layout } from '../layout.ts';
import { LogPart, waitUntilReady } from '../ready.ts';
import type { Sandbox } from './sandbox.ts';

export interface KubeletOptions {
  readonly layout: Layout;
  readonly nodeName: string;
  readonly kubeconfigPath: string;
  readonly containerdSocket: string;
  /** How often it looks after each pod, Secret volumes included; 1m unless given, which is the kubelet's own default. */
  readonly syncFrequency?: string | undefined;
}

/** How the API server signs in at kubelets, for logs. */
export function kubeletAccess(layout: Layout): string[] {
  const pair = issueClient(layout.issuer, 'kube-apiserver-kubelet-client', ['system:masters']);
  const file = (ending: string) => join(dirname(layout.caCertificate), `kubelet-client.${ending}`);
  writeFileSync(file('crt'), pair.certificatePem);
  writeFileSync(file('key'), pair.keyPem, { mode: 0o600 });
  return [
    `--kubelet-client-certificate=${file('crt')}`,
    `--kubelet-client-key=${file('key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    // Pods find the API server by the address that it publishes.
    '--endpoint-reconciler-type=lease',
  ];
}

/** Starts it, and waits until it is well and its node Ready. */
export async function startKubelet(
  { guard, run }: Sandbox,
  program: string,
  cluster: ControlPlane,
  options: KubeletOptions,
): Promise<GuardedProcess> {
  const log = new LogPart(options.layout.log('kubelet'));
  const kubelet = guard.run('kubelet', program, kubeletArguments(options), { logPath: log.path });
  const node = `node/${options.nodeName}`;
  await waitUntilReady(kubelet, log, async () => {
    // After a restart the node is Ready for a while because it was before.
    const well = run('curl', '--silent', 'http://127.0.0.1:10248/healthz') === 'ok';
    const args = ['wait', '--for=condition=Ready', node, '--timeout=5s'];
    return well && (await cluster.kubectl(args, { allowFailure: true })).code === 0;
  });
  return kubelet;
}

/** Writes the kubelet's configuration, and answers its arguments. */
function kubeletArguments(options: KubeletOptions): string[] {
  const { layout, nodeName, kubeconfigPath } = options;
  const folder = join(layout.folder, 'kubelet');
  mkdirSync(folder, { recursive: true });
  makeCgroups(layout.folder);
  const configPath = join(layout.folder, 'kubelet.json');
  writeFileSync(configPath, JSON.stringify(configuration(options), undefined, 2));
  return [
    `--config=${configPath}`,
    `--kubeconfig=${kubeconfigPath}`,
    `--root-dir=${folder}`,
    `--cert-dir=${join(folder, 'pki')}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${layout.address}`,
  ];
}

function configuration({ layout, containerdSocket, syncFrequency = '1m' }: KubeletOptions): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: layout.address,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    syncFrequency,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: layout.caCertificate },
    },
    authorization: { mode: 'Webhook' },
    podLogsDir: join(layout.folder, 'pod-logs'),
    volumePluginDir: join(layout.folder, 'kubelet-plugins'),
    // The control groups of the machine are its own business: ours hang below one that is named after the run.
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: cgroupOf(layout.folder),
    enforceNodeAllocatable: [],
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    // How full the machine's disk is says nothing about the node.
    evictionHard: {},
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
  };
}
