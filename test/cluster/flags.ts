import { basename } from 'node:path';
import { type Layout, serviceRange } from './layout.ts';

export interface EtcdPorts {
  readonly client: number;
  readonly peer: number;
}

export interface ApiServerOptions {
  readonly port: number;
  readonly etcdPort: number;
  readonly admitServiceAccounts: boolean;
  readonly extra: readonly string[];
}

/** Unique to the run: by it we know that it is our own etcd that answers on a port. */
export const memberName = (layout: Layout): string => basename(layout.folder);

export function etcdArguments(layout: Layout, { client, peer }: EtcdPorts): string[] {
  const clientUrl = `http://${layout.address}:${client}`;
  const peerUrl = `http://${layout.address}:${peer}`;
  return [
    `--name=${memberName(layout)}`,
    `--data-dir=${layout.etcdData}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=${memberName(layout)}=${peerUrl}`,
    // The data dies with the run, so nothing is gained by waiting for the disk.
    '--unsafe-no-fsync',
    // As kubeadm has it: a watch in which nothing changes gets its bookmarks only where etcd reports progress.
    '--watch-progress-notify-interval=5s',
    '--log-level=warn',
  ];
}

export function apiServerArguments(layout: Layout, options: ApiServerOptions): string[] {
  return [
    `--etcd-servers=http://${layout.address}:${options.etcdPort}`,
    `--bind-address=${layout.address}`,
    `--advertise-address=${layout.address}`,
    `--secure-port=${options.port}`,
    `--service-cluster-ip-range=${serviceRange}`,
    `--tls-cert-file=${layout.serverCertificate}`,
    `--tls-private-key-file=${layout.serverKey}`,
    `--client-ca-file=${layout.caCertificate}`,
    `--service-account-key-file=${layout.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${layout.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--authorization-mode=Node,RBAC',
    `--audit-policy-file=${layout.auditPolicy}`,
    `--audit-log-path=${layout.auditLog}`,
    // In megabytes. The default of 100 would rotate away what a load test still wants to count.
    '--audit-log-maxsize=100000',
    // Endpoints refuse loopback addresses, so publishing ours would fail, and log it, every ten seconds.
    '--endpoint-reconciler-type=none',
    // This plug-in refuses every pod until a controller has made the namespace's default service account.
    ...(options.admitServiceAccounts ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...options.extra,
  ];
}

/** Files (PEM) of a CA certificate and its key. */
export interface PairFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Signs with the pair of the cluster, unless another one is given. */
export function controllerManagerArguments(
  layout: Layout,
  controllers: readonly string[],
  signing: PairFiles = { certificate: layout.caCertificate, key: layout.caKey },
): string[] {
  return [
    // The plain identity of a controller manager may not sign, and per-controller identities need one more controller.
    `--kubeconfig=${layout.adminKubeconfig}`,
    ...(controllers.includes('*') ? ['--use-service-account-credentials'] : []),
    `--controllers=${controllers.join(',')}`,
    '--leader-elect=false',
    '--secure-port=0',
    `--root-ca-file=${layout.caCertificate}`,
    `--cluster-signing-cert-file=${signing.certificate}`,
    `--cluster-signing-key-file=${signing.key}`,
    `--service-account-private-key-file=${layout.serviceAccountKey}`,
  ];
}
