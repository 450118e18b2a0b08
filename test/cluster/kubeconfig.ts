import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issueClient, type Pair } from './certificates.ts';
import type { Layout } from './layout.ts';

export interface KubeconfigContent {
  readonly url: string;
  readonly caPem: string;
  readonly user: string;
  readonly client: Pair;
}

/** Writes kubeconfigs of users who sign in with a client certificate. */
export function kubeconfigsIn(layout: Layout, url: string) {
  let written = 0;
  return async (user: string, groups: readonly string[] = []): Promise<string> => {
    written += 1;
    const path = join(layout.kubeconfigs, `${user.replaceAll(/[^\w.-]/g, '_')}-${written}.kubeconfig`);
    const client = issueClient(layout.issuer, user, groups);
    writeKubeconfig(path, { url, caPem: layout.issuer.certificatePem, user, client });
    return path;
  };
}

/** As JSON, which every reader of YAML takes and which needs no library to write. */
export function writeKubeconfig(path: string, { url, caPem, user, client }: KubeconfigContent): void {
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'certwheel', cluster: { server: url, 'certificate-authority-data': base64(caPem) } }],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(client.certificatePem),
          'client-key-data': base64(client.keyPem),
        },
      },
    ],
    contexts: [{ name: 'certwheel', context: { cluster: 'certwheel', user } }],
    'current-context': 'certwheel',
  };
  writeFileSync(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}
