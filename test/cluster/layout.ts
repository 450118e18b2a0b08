import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAuditPolicy } from './audit.ts';
import { createIssuer, createSigningKey, ISSUER_NAME, type Issuer, issueServer, type Pair } from './certificates.ts';

/** Where everything lies in the folder of one run. */
export interface Layout {
  readonly folder: string;
  /** Where the servers listen. */
  readonly address: string;
  readonly issuer: Issuer;
  readonly etcdData: string;
  readonly caCertificate: string;
  readonly caKey: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
  readonly adminKubeconfig: string;
  readonly kubeconfigs: string;
  readonly kubectlCache: string;
  log(program: string): string;
}

/** The first address of the service range belongs to the API server. */
export const serviceRange = '10.0.0.0/24';
const serverNames = [
  '127.0.0.1',
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  '10.0.0.1',
];

/** The paths, without the keys. */
export function layoutIn(folder: string): Omit<Layout, 'address' | 'issuer'> {
  return {
    folder,
    etcdData: join(folder, 'etcd'),
    caCertificate: join(folder, 'pki', 'ca.crt'),
    caKey: join(folder, 'pki', 'ca.key'),
    serverCertificate: join(folder, 'pki', 'server.crt'),
    serverKey: join(folder, 'pki', 'server.key'),
    serviceAccountKey: join(folder, 'pki', 'service-account.key'),
    serviceAccountPublicKey: join(folder, 'pki', 'service-account.pub'),
    auditPolicy: join(folder, 'audit-policy.json'),
    auditLog: join(folder, 'audit.log'),
    adminKubeconfig: join(folder, 'admin.kubeconfig'),
    kubeconfigs: join(folder, 'kubeconfigs'),
    kubectlCache: join(folder, 'kubectl-cache'),
    log: (program) => join(folder, 'logs', `${program}.log`),
  };
}

export function prepareFolder(folder: string, address = '127.0.0.1'): Layout {
  const layout: Layout = { ...layoutIn(folder), address, issuer: createIssuer(ISSUER_NAME) };
  for (const name of ['pki', 'logs', 'kubeconfigs']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  writePair(layout.issuer, layout.caCertificate, layout.caKey);
  writePair(
    issueServer(layout.issuer, [...new Set([...serverNames, address])]),
    layout.serverCertificate,
    layout.serverKey,
  );
  const { privatePem, publicPem } = createSigningKey();
  writeFileSync(layout.serviceAccountKey, privatePem, { mode: 0o600 });
  writeFileSync(layout.serviceAccountPublicKey, publicPem);
  writeAuditPolicy(layout.auditPolicy);
  return layout;
}

function writePair({ certificatePem, keyPem }: Pair, certificatePath: string, keyPath: string): void {
  writeFileSync(certificatePath, certificatePem);
  writeFileSync(keyPath, keyPem, { mode: 0o600 });
}
