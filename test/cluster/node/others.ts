import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Guard } from '../guard.ts';
import type { Layout } from '../layout.ts';
import { POD_RANGE } from './containerd.ts';

export function startScheduler(guard: Guard, program: string, layout: Layout, kubeconfigPath: string): void {
  const args = [`--kubeconfig=${kubeconfigPath}`, '--leader-elect=false', '--secure-port=0'];
  guard.run('kube-scheduler', program, args, { logPath: layout.log('kube-scheduler') });
}

/** Makes the addresses of Services lead to their pods. */
export function startProxy(
  guard: Guard,
  program: string,
  layout: Layout,
  nodeName: string,
  kubeconfigPath: string,
): void {
  const configPath = join(layout.folder, 'kube-proxy.json');
  const configuration = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig: kubeconfigPath },
    hostnameOverride: nodeName,
    clusterCIDR: POD_RANGE,
    // Limits of connections are those of the machine, and not ours to change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
  writeFileSync(configPath, JSON.stringify(configuration, undefined, 2));
  guard.run('kube-proxy', program, [`--config=${configPath}`], { logPath: layout.log('kube-proxy') });
}
