import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { NAMESPACE } from './helm.ts';

/** The user name of the chart's ServiceAccount. */
export const ACCOUNT = `system:serviceaccount:${NAMESPACE}:certwheel`;

/** A kubeconfig with a token of the chart's ServiceAccount, which is what a Pod of it would have. */
export async function accountKubeconfig(cluster: ControlPlane): Promise<string> {
  const { stdout } = await cluster.kubectl(['create', 'token', 'certwheel', '--namespace', NAMESPACE]);
  const path = join(cluster.dir, 'account.kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'certwheel',
        cluster: {
          server: cluster.url,
          'certificate-authority-data': readFileSync(cluster.caPath).toString('base64'),
        },
      },
    ],
    users: [{ name: 'account', user: { token: stdout.trim() } }],
    contexts: [{ name: 'certwheel', context: { cluster: 'certwheel', user: 'account' } }],
    'current-context': 'certwheel',
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

/** What the account may do in a namespace, sorted, without the columns' padding: a line for each resource. */
export async function permissionsOf(cluster: ControlPlane, namespace: string): Promise<string> {
  const { stdout } = await cluster.kubectl([
    'auth',
    'can-i',
    '--list',
    '--as',
    ACCOUNT,
    '--namespace',
    namespace,
    '--no-headers',
  ]);
  const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trim());
  return `${lines
    .filter((line) => line !== '')
    .sort()
    .join('\n')}\n`;
}
