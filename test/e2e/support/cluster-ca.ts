import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeKubeconfig } from '../../cluster/kubeconfig.ts';
import { createSecret } from './edits.ts';
import { eventually } from './eventually.ts';
import { readSecret } from './objects.ts';
import type { World } from './world.ts';

// The CA behind --client-ca-file of the API server: whatever it signs is a login, its common name a user and each
// organization a group.

/** Puts it where an authority of the type `secret` looks for its CA. */
export async function putClusterCa(world: World, namespace: string, name: string): Promise<void> {
  const { caPath, caKeyPath } = world.cluster;
  const base64 = (path: string) => readFileSync(path).toString('base64');
  await createSecret(world, namespace, name, { data: { 'tls.crt': base64(caPath), 'tls.key': base64(caKeyPath) } });
}

/** Binds a group to cluster-admin, as kubeadm does with kubeadm:cluster-admins, and waits until the API server knows. */
export async function makeAdministrators({ cluster }: World, group: string): Promise<void> {
  const name = group.replaceAll(':', '-');
  await cluster.kubectl(['create', 'clusterrolebinding', name, '--clusterrole=cluster-admin', `--group=${group}`]);
  await eventually(`${group} may do anything`, async () => {
    const asMember = ['--as=somebody', `--as-group=${group}`];
    return (await cluster.kubectl([...ANYTHING, ...asMember], { allowFailure: true })).code === 0;
  });
}

const ANYTHING = ['auth', 'can-i', '*', '*', '--all-namespaces'];

/** Who somebody is to the API server who holds that Secret, and what that user may do. */
export async function loginWith(world: World, namespace: string, secretName: string) {
  const { cluster } = world;
  const secret = await readSecret(world, namespace, secretName);
  if (secret === undefined) throw new Error(`there is no Secret ${namespace}/${secretName}`);
  const kubeconfigPath = join(cluster.dir, `${namespace}-${secretName}.kubeconfig`);
  writeKubeconfig(kubeconfigPath, {
    url: cluster.url,
    caPem: readFileSync(cluster.caPath, 'utf8'),
    user: 'holder',
    client: { certificatePem: secret.chain, keyPem: secret.key },
  });
  const ask = (args: readonly string[]) => cluster.kubectl(args, { kubeconfigPath, allowFailure: true });
  const { stdout } = await ask(['auth', 'whoami', '-o', 'json']);
  const { status } = JSON.parse(stdout) as { status: { userInfo: { username: string; groups: string[] } } };
  return {
    user: status.userInfo.username,
    groups: status.userInfo.groups,
    isAdministrator: (await ask(ANYTHING)).code === 0,
    rights: sorted((await ask(['auth', 'can-i', '--list', '--namespace', namespace])).stdout),
  };
}

/** What everybody may do who has logged in, in the words of `loginWith`. */
export async function rightsOfEverybody({ cluster }: World, namespace: string): Promise<string[]> {
  const asNobody = ['--as=nobody-in-particular', '--as-group=system:authenticated'];
  return sorted((await cluster.kubectl(['auth', 'can-i', '--list', '--namespace', namespace, ...asNobody])).stdout);
}

/** The API server lists rules in no certain order. */
function sorted(text: string): string[] {
  return text.trim().split('\n').sort();
}
