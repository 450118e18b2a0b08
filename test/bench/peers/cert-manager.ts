import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Resource } from '../../../src/api/names.ts';
import { startGuard } from '../../cluster/guard.ts';
import { LogPart, waitUntilReady } from '../../cluster/ready.ts';
import { BUILD_ENVIRONMENT, moduleFolder } from '../../programs/modules.ts';
import { ensureProgram } from '../../programs/programs.ts';
import type { BenchWorld } from '../bench-world.ts';
import { identity, type Peer } from './peer.ts';

const USER = 'bench-cert-manager';
const MODULE = 'github.com/cert-manager/cert-manager';
/** Requests a second: so many that nothing waits for them. */
const UNTHROTTLED = ['--kube-api-qps=100000', '--kube-api-burst=100000'];

const resource = (kind: string, plural: string) =>
  ({ group: 'cert-manager.io', version: 'v1', plural, kind, namespaced: true }) as const satisfies Resource;
const ISSUERS = resource('Issuer', 'issuers');
const CERTIFICATES = resource('Certificate', 'certificates');

/** Installs its CRDs, and builds it the first time. */
export async function certManager({ client, cluster }: BenchWorld): Promise<Peer> {
  const run = promisify(execFile);
  const path = await ensureProgram('cert-manager-full');
  const version = (await run(path, ['--version'])).stdout.trim();
  const { stdout } = await run('go', ['mod', 'download', '-json', MODULE], {
    cwd: moduleFolder('cert-manager'),
    env: { ...process.env, ...BUILD_ENVIRONMENT },
  });
  const crds = join((JSON.parse(stdout) as { Dir: string }).Dir, 'deploy/crds');
  await cluster.kubectl(['apply', '--server-side', '-f', crds]);
  await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
  const kubeconfig = await cluster.kubeconfigFor(USER, ['system:masters']);
  return {
    name: `cert-manager ${version.replace(/^v/, '')}`,
    user: USER,
    certificates: CERTIFICATES,
    leaves: [
      'certificates.cert-manager.io',
      'certificaterequests.cert-manager.io',
      'issuers.cert-manager.io',
      'secrets',
    ],
    prepare: async (namespace) => {
      await client.create(ISSUERS, { metadata: { namespace, name: 'ca' }, spec: { ca: { secretName: 'ca-pair' } } });
    },
    start: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'certwheel-bench-peer-'));
      const guard = startGuard(folder, { removeFolder: true });
      const log = new LogPart(join(folder, 'log'));
      const started = guard.run('cert-manager', path, ['--kubeconfig', kubeconfig, ...UNTHROTTLED], {
        folder,
        logPath: log.path,
      });
      await waitUntilReady(started, log, async () => log.read().includes(`started ${version}`));
      return { pid: started.pid, stop: () => guard.close() };
    },
    certificate: (namespace, name) => ({
      metadata: { namespace, name },
      spec: { issuerRef: { name: 'ca' }, ...identity(namespace, name) },
    }),
  };
}
