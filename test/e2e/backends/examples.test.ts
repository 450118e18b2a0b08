import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'uvu';
import { clusterUser, ensureNamespace, SYSTEM_NAMESPACE } from '../process/support/access.ts';
import { createSecret } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { makeCa, tlsData } from '../support/openssl.ts';
import { commandsOf as linesOf } from '../support/page.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { oneWorld, type World } from '../support/world.ts';
import { untilAuthority, untilClusterAuthority } from './place.ts';
import { startFakeAws } from './servers/aws.ts';
import { prepareCertManager } from './servers/cert-manager.ts';
import { startVault } from './servers/vault.ts';
import { base64, commandsOf } from './vault-world.ts';

// The examples as they stand, but for addresses, after what their pages say: each is an authority that issues. That of
// step-ca is in step-ca-own.test.ts and step-cli.long.test.ts; those of our own CAs are in test/e2e/docs.

const ROOT = join(import.meta.dirname, '../../..');
const NAMESPACE = 'payments';

const worlds = oneWorld({
  controllers: ['certificatesigningrequest-signing-controller', 'root-ca-certificate-publisher-controller'],
});
const shared = lazily(async () => {
  const world = await worlds.get();
  await ensureNamespace(world, NAMESPACE);
  // As the examples' bindings name it, with what the chart gives it.
  const kubeconfig = await clusterUser(world, `system:serviceaccount:${SYSTEM_NAMESPACE}:certwheel`);
  world.launch(['--allow-loopback-authorities', '--controller-namespace', SYSTEM_NAMESPACE], kubeconfig);
  return { world };
});
test.after(worlds.stop);

function example(backend: string, file = 'authority.yaml'): string {
  return readFileSync(join(ROOT, 'examples/authorities', backend, file), 'utf8');
}

async function apply({ cluster }: World, manifest: string): Promise<void> {
  await cluster.kubectl(['apply', '-f', '-'], { input: manifest });
}

/** Commands of a page, in a folder of their own, for whoever administrates the cluster. */
async function follow({ cluster }: World, commands: readonly string[]): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), 'certwheel-example-'));
  const PATH = `${dirname(cluster.kubectlPath)}:${process.env.PATH}`;
  const env = { ...process.env, PATH, KUBECONFIG: cluster.kubeconfigPath };
  try {
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', commands.join('\n')], { cwd, env });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

/** A certificate of that authority comes, and openssl takes it. */
async function issues(world: World, authorityRef: Readonly<Record<string, string>>): Promise<void> {
  const { name = '' } = authorityRef;
  await create(world, clientCertificate(NAMESPACE, name, { authorityRef, duration: '1h' }));
  await untilReady(world, NAMESPACE, name);
  await opensslAccepts((await readSecret(world, NAMESPACE, `${name}-tls`))?.object ?? {});
}

test('vault: logged in by a ServiceAccount', async () => {
  const { world } = await shared.get();
  const { cluster } = world;
  const vault = await startVault();
  try {
    await vault.sh(commandsOf('The CA and the role'));
    await cluster.kubectl(['create', 'serviceaccount', 'reviewer', '--namespace', NAMESPACE]);
    const binding = ['--clusterrole=system:auth-delegator', `--serviceaccount=${NAMESPACE}:reviewer`];
    await cluster.kubectl(['create', 'clusterrolebinding', 'reviewer', ...binding]);
    const { stdout } = await cluster.kubectl(['create', 'token', 'reviewer', '--namespace', NAMESPACE]);
    // What the others do with kubectl, the example does.
    const [inVault = ''] = commandsOf('By a ServiceAccount').split('\nkubectl ');
    const env = { KUBERNETES_HOST: cluster.url, KUBERNETES_CA_FILE: cluster.caPath, REVIEWER_TOKEN: stdout.trim() };
    await vault.sh(inVault, env);
    const manifest = example('vault')
      .replace('https://vault.example.com:8200', vault.url)
      .replace(/# caBundle: .*/, `caBundle: ${base64(vault.ca)}`);
    await apply(world, manifest);
    await untilAuthority({ world, namespace: NAMESPACE }, {}, { name: 'vault' });
    await issues(world, { name: 'vault' });
  } finally {
    await vault.stop();
  }
});

test('awsPrivateCA: by the role of a ServiceAccount, whose tokens the API server signs', async () => {
  const { world } = await shared.get();
  const { cluster } = world;
  const aws = await startFakeAws();
  const { stdout } = await cluster.kubectl(['get', '--raw', '/openid/v1/jwks']);
  aws.sts.issuerKeys = JSON.parse(stdout).keys;
  const subject = `system:serviceaccount:${NAMESPACE}:certwheel-aws`;
  aws.sts.roles.set('arn:aws:iam::111122223333:role/certwheel', { subject, audience: 'sts.amazonaws.com' });
  const { url } = aws;
  const manifest = example('aws-private-ca').replace(
    /# endpoint: .*/,
    `endpoint: ${url}\n    stsEndpoint: ${url}\n    caBundle: ${base64(aws.tlsCa)}`,
  );
  await apply(world, manifest);
  await untilAuthority({ world, namespace: NAMESPACE }, {}, { name: 'aws-private-ca' });
  await issues(world, { name: 'aws-private-ca' });
});

test('kubernetesCSR: approved by Certwheel itself', async () => {
  const { world } = await shared.get();
  console.log(`# kube-controller-manager ${await world.client.version()}`);
  for (const file of ['approver.yaml', 'authority.yaml']) await apply(world, example('kubernetes-csr', file));
  await untilClusterAuthority(world, 'kubernetes-clients');
  await issues(world, { kind: 'ClusterCertificateAuthority', name: 'kubernetes-clients' });
});

test('certManager: an Issuer and the bundle that the page makes of its CA', async () => {
  const { world } = await shared.get();
  const certManager = await prepareCertManager(world.cluster);
  console.log(`# cert-manager ${certManager.version}`);
  try {
    await certManager.start();
    const data = tlsData(await makeCa('Payments'));
    await createSecret(world, NAMESPACE, 'payments-ca', { type: 'kubernetes.io/tls', data });
    const page = readFileSync(join(ROOT, 'docs/authorities/cert-manager.md'), 'utf8');
    const [issuer = ''] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
      block.includes('kind: Issuer\n') ? block : [],
    );
    await apply(world, issuer);
    const lines = linesOf('docs/authorities/cert-manager.md', 'Set it up');
    const last = lines.findIndex((line) => line.startsWith('kubectl create configmap'));
    await follow(world, lines.slice(0, last + 1));
    await apply(world, example('cert-manager'));
    await untilAuthority({ world, namespace: NAMESPACE }, {}, { name: 'through-cert-manager' });
    await issues(world, { name: 'through-cert-manager' });
  } finally {
    await certManager.stop();
  }
});

test.run();
