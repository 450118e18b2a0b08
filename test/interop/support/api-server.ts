/** A kube-apiserver that reads its serving files and its client CAs from a mounted Secret. */
import { mkdirSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { startEtcd } from '../../cluster/etcd.ts';
import { apiServerArguments } from '../../cluster/flags.ts';
import { startGuard } from '../../cluster/guard.ts';
import { prepareFolder } from '../../cluster/layout.ts';
import { lazily } from '../../e2e/support/lazily.ts';
import { ensurePrograms } from '../../programs/programs.ts';
import { onStop } from '../../teardown.ts';
import type { RunningServer, ServerSetup } from './reader.ts';
import { startServer } from './server-process.ts';
import { temporaryFolder } from './temporary.ts';

/** One etcd for all API servers of a file: they find there what the first one has created. */
const stored = lazily(async () => {
  const { etcd: program } = await ensurePrograms(['etcd']);
  const guard = startGuard();
  onStop(() => guard.close());
  const folder = temporaryFolder();
  return startEtcd(guard, program, prepareFolder(folder));
});

export async function startApiServer({ directory, clientCa, port, folder }: ServerSetup): Promise<RunningServer> {
  const { port: etcdPort } = await stored.get();
  const { 'kube-apiserver': program } = await ensurePrograms(['kube-apiserver']);
  const own = join(folder, 'cluster');
  mkdirSync(own);
  const layout = {
    ...prepareFolder(own),
    serverCertificate: join(directory, 'tls.crt'),
    serverKey: join(directory, 'tls.key'),
    caCertificate: clientCa,
  };
  const args = apiServerArguments(layout, { port, etcdPort, admitServiceAccounts: false, extra: [] });
  const server = await startServer({
    name: 'kube-apiserver',
    program,
    args,
    folder,
    port,
    isReady: () => answersReady(port),
  });
  return { ...server, port, reload: async () => {} };
}

/** Anonymous users may read /readyz. */
function answersReady(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const call = request({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false });
  call.on('response', (response) => {
    response.resume();
    resolve(response.statusCode === 200);
  });
  call.on('error', () => resolve(false));
  call.end();
  return promise;
}
