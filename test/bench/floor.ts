/**
 * The floor under a rotation: a process that does nothing but the two writes, with a payload of the same size that is
 * new each time, as fast as it can. A child process; it answers over IPC.
 */
import { randomBytes } from 'node:crypto';
import { CLIENT_CERTIFICATES, SECRETS } from '../../src/api/names.ts';
import type { RawObject } from '../../src/api/parse.ts';
import { CERTIFICATE_CONDITIONS } from '../../src/certificate/status/status.ts';
import { systemClock } from '../../src/clock.ts';
import { KubeconfigConnection } from '../../src/kube/auth.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { createLogger } from '../../src/log.ts';
import { writeStatus } from '../../src/wiring/services.ts';
import type { Answer, Question } from './protocol.ts';

interface Task {
  readonly secret: RawObject;
  readonly resource: RawObject;
}

const [kubeconfig = '', namespace = '', concurrency = '16'] = process.argv.slice(2);
const log = createLogger('error', 'text');
const client = new KubeClient({
  connections: new KubeconfigConnection({ kubeconfig, clock: systemClock, logger: log }),
  clock: systemClock,
});

const tasks = await prepare();
reply({ ready: true });

// A bench that was killed leaves nothing behind.
process.on('disconnect', () => process.exit(1));
process.on('message', async ({ ask }: Question) => {
  if (ask === 'stop') process.exit(0);
  const startedMs = performance.now();
  const before = process.cpuUsage();
  const waiting = [...tasks.keys()];
  await Promise.all(Array.from({ length: Number(concurrency) }, () => work(waiting)));
  const { user, system } = process.cpuUsage(before);
  reply({
    round: { count: tasks.length, seconds: (performance.now() - startedMs) / 1000, cpuMs: (user + system) / 1000 },
  });
});

function reply(answer: Answer): void {
  process.send?.(answer);
}

async function work(waiting: number[]): Promise<void> {
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop())
    tasks[index] = await rotate(tasks[index] as Task);
}

/** What the controller writes, on the same conditions. */
async function rotate({ secret, resource }: Task): Promise<Task> {
  const serial = randomBytes(16).toString('hex');
  const fresh = (base64 = '') => randomBytes(Math.floor((base64.length * 3) / 4)).toString('base64');
  const { name, uid, resourceVersion, labels, annotations, ownerReferences } = secret.metadata as Record<
    string,
    unknown
  > & { name: string };
  const written = await client.apply(SECRETS, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name,
      uid,
      resourceVersion,
      labels,
      ownerReferences,
      annotations: { ...(annotations as object), 'certwheel.io/serials': serial },
    },
    type: 'kubernetes.io/tls',
    data: {
      'tls.crt': fresh(secret.data?.['tls.crt']),
      'tls.key': fresh(secret.data?.['tls.key']),
      'ca.crt': secret.data?.['ca.crt'],
    },
  });
  return {
    secret: written,
    resource: await renew(resource, { serialNumber: serial, fingerprintSHA256: randomBytes(32).toString('hex') }),
  };
}

/** By the controller's own function, so that both write a status in the same way, whatever that is. */
function renew({ metadata, status }: RawObject, changes: object): Promise<RawObject> {
  const { name = '', uid = '', resourceVersion = '' } = metadata as Record<string, string | undefined>;
  const observed = { namespace, name, uid, resourceVersion };
  return writeStatus(
    client,
    CLIENT_CERTIFICATES,
    observed,
    { ...(status as object), ...changes },
    CERTIFICATE_CONDITIONS,
  );
}

/** Takes what the controller has issued as the model. */
async function prepare(): Promise<Task[]> {
  const [resources, secrets] = await Promise.all([
    client.list(CLIENT_CERTIFICATES, { namespace }),
    client.list(SECRETS, { namespace }),
  ]);
  const byName = new Map(secrets.items.map((secret) => [secret.metadata?.name, secret]));
  return resources.items.flatMap((resource) => {
    const secret = byName.get((resource.spec as { secretName: string }).secretName);
    return secret === undefined ? [] : [{ secret, resource }];
  });
}
