import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CHART, refusal } from './support/helm.ts';

/** Values that nobody should be able to install, and what Helm must say of them. */
const REFUSED: readonly [Readonly<Record<string, unknown>>, RegExp][] = [
  [{ replicas: 3 }, /replicas/],
  [{ replicaCount: '3' }, /replicaCount.*got string, want integer/s],
  [{ image: { tags: 'v1' } }, /tags/],
  [{ image: { digest: 'v1' } }, /digest.*pattern/s],
  [{ image: { pullPolicy: 'Sometimes' } }, /pullPolicy.*'Always', 'IfNotPresent', 'Never'/s],
  [{ namespaces: ['Shop'] }, /namespaces.*pattern/s],
  [{ namespaces: 'shop' }, /namespaces.*got string, want array/s],
  [{ controller: { workers: 0 } }, /workers.*minimum/s],
  [{ controller: { trustPropagation: '2 minutes' } }, /trustPropagation.*pattern/s],
  [{ log: { level: 'verbose' } }, /level.*'debug'/s],
  [{ podSecurityContext: { runAsnonRoot: true } }, /runAsnonRoot/],
  [{ securityContext: { capabilities: { drops: ['ALL'] } } }, /drops/],
  [{ resources: { limit: { memory: '1Gi' } } }, /limit/],
  [{ tolerations: [{ keys: 'a' }] }, /keys/],
  [{ metrics: { port: 0 } }, /port.*minimum/s],
  [{ metrics: { serviceMonitor: { interval: 'often' } } }, /interval.*pattern/s],
  [{ metrics: { tls: { secret: 'a' } } }, /secret/],
  [{ metrics: { authentication: { enabled: 'yes' } } }, /enabled.*got string, want boolean/s],
  [
    { metrics: { tls: { secretName: 'a' }, serviceMonitor: { enabled: true, namespace: 'monitoring' } } },
    /set metrics.serviceMonitor.tlsConfig/,
  ],
  [{ podDisruptionBudget: { maxUnavailable: 'one' } }, /maxUnavailable/],
  [{ extraArgs: ['leader-elect'] }, /extraArgs.*pattern/s],
  [{ leaderElection: { enabled: false } }, /replicaCount is above 1 and leaderElection.enabled is false/],
  [{ shards: 257 }, /shards.*maximum/s],
  [
    { shards: 64, auditLog: { enabled: true, volume: { persistentVolumeClaim: { claimName: 'audit' } } } },
    /all replicas would write one audit.log/,
  ],
  [{ metrics: { enabled: false, serviceMonitor: { enabled: true } } }, /metrics.enabled is false/],
  [
    { acmeResponder: { enabled: true }, controller: { authorities: ['secret'] } },
    /controller.authorities doesn't list acme/,
  ],
  [{ serviceAccount: { create: false } }, /admissionPolicy.enabled would hold the ServiceAccount `default`/],
];

for (const [given, message] of REFUSED) {
  test(`refused: ${JSON.stringify(given)}`, async () => {
    assert.match(await refusal(given), message);
  });
}

test('what is global is for others', async () => {
  assert.is(await refusal({ global: { whatever: { a: 1 } } }), '');
});

test('nothing but what is global, and what Kubernetes defines, is open', () => {
  const open: string[] = [];
  const visit = (schema: Record<string, unknown>, path: string) => {
    const properties = schema.properties as Record<string, Record<string, unknown>> | undefined;
    if (schema.type === 'object' && properties === undefined && typeof schema.additionalProperties !== 'object')
      open.push(path);
    if (properties !== undefined) assert.is(schema.additionalProperties, false, path);
    for (const [name, child] of Object.entries(properties ?? {})) visit(child, `${path}.${name}`);
    if (typeof schema.items === 'object') visit(schema.items as Record<string, unknown>, `${path}[]`);
  };
  visit(JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')), '');
  assert.equal(open.sort(), [
    '.acmeResponder.resources.claims[]',
    '.affinity.nodeAffinity',
    '.affinity.podAffinity',
    '.affinity.podAntiAffinity',
    '.auditLog.volume',
    '.extraContainers[]',
    '.extraEnv[]',
    '.extraVolumeMounts[]',
    '.extraVolumes[]',
    '.global',
    '.metrics.serviceMonitor.authorization',
    '.metrics.serviceMonitor.tlsConfig',
    '.networkPolicy.extraEgress[]',
    '.networkPolicy.metricsFrom[]',
    '.podSecurityContext.windowsOptions',
    '.resources.claims[]',
    '.responder.resources.claims[]',
    '.securityContext.windowsOptions',
    '.topologySpreadConstraints[].labelSelector',
  ]);
});

test.run();
