import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { NAMESPACE } from './helm.ts';

/** The user name of the chart's ServiceAccount. */
export const ACCOUNT = `system:serviceaccount:${NAMESPACE}:certwheel`;

/** A kubeconfig with a token of the chart's ServiceAccount, which is what a Pod of it would have; or of another one beside it. */
export async function accountKubeconfig(cluster: ControlPlane, name = 'certwheel'): Promise<string> {
  const { stdout } = await cluster.kubectl(['create', 'token', name, '--namespace', NAMESPACE]);
  const path = join(cluster.dir, `${name}.kubeconfig`);
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

/**
 * Fails unless `kubectl auth can-i --list` of the account in a namespace is what the golden file says: a line for each
 * resource, sorted, without the padding of columns. GOLDEN=write writes the files anew.
 */
export async function provesGolden(cluster: ControlPlane, file: string, namespace: string): Promise<void> {
  const args = ['auth', 'can-i', '--list', '--no-headers', '--as', ACCOUNT, '--namespace', namespace];
  const { stdout } = await cluster.kubectl(args);
  const lines = stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trim());
  const permissions = `${lines
    .filter((line) => line !== '')
    .sort()
    .join('\n')}\n`;
  const path = join(import.meta.dirname, '../golden', file);
  if (process.env.GOLDEN === 'write') writeFileSync(path, permissions);
  assert.fixture(permissions, readFileSync(path, 'utf8'));
}

/** What the account has asked of the API server so far, as the audit log tells it. */
export async function requestsOfAccount(cluster: ControlPlane) {
  const events = (await cluster.auditEvents()).filter(({ user }) => user.username === ACCOUNT);
  return events
    .filter(({ objectRef }) => objectRef?.resource !== undefined)
    .map(({ verb, objectRef, responseStatus }) => {
      const { apiGroup = '', resource = '', subresource, namespace } = objectRef ?? {};
      const name = `${resource}${apiGroup === '' ? '' : `.${apiGroup}`}${subresource === undefined ? '' : `/${subresource}`}`;
      return { verb, resource: name, namespace, code: responseStatus?.code };
    });
}
