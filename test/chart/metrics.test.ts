import { dirname } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { REVIEW_PERMISSIONS } from '../../src/api/permissions.ts';
import { parseCommandLine } from '../../src/config.ts';
import { type Manifest, NAMESPACE, ofKind, one, podOf, render } from './support/helm.ts';
import { OPERATOR_API } from './support/operator.ts';

const REVIEWS = `certwheel-auth.${NAMESPACE}`;

const manifestsOf = (metrics: object, more: object = {}) => render({ metrics, ...more }, OPERATOR_API);

function configOf(manifests: readonly Manifest[]) {
  const command = parseCommandLine(podOf(manifests).container.args, {}, false);
  if (!('config' in command)) throw new Error('the chart asks for help');
  return command.config;
}

const endpointOf = (manifests: readonly Manifest[]) => one(manifests, 'ServiceMonitor').spec.endpoints?.[0];

test('metrics are plain and open unless the values say otherwise, and nothing is granted for more', async () => {
  const manifests = await manifestsOf({ serviceMonitor: { enabled: true } });
  const { metricsTls, metricsAuthentication } = configOf(manifests);
  assert.equal([metricsTls, metricsAuthentication], [undefined, false]);
  assert.equal(endpointOf(manifests), { port: 'metrics', honorLabels: true });
  assert.not.match(JSON.stringify(manifests), /tokenreviews|subjectaccessreviews|metrics-tls/);
});

test('with authentication the account may review tokens, whichever namespaces are served, and do nothing else', async () => {
  for (const namespaces of [[], ['shop']]) {
    const manifests = await manifestsOf({ authentication: { enabled: true } }, { namespaces });
    assert.is(configOf(manifests).metricsAuthentication, true);
    const rules = REVIEW_PERMISSIONS.map(({ why: _, ...rule }) => rule);
    assert.equal(one(manifests, 'ClusterRole', REVIEWS).rules, rules);
    assert.equal(one(manifests, 'ClusterRoleBinding', REVIEWS).subjects, [
      { kind: 'ServiceAccount', name: 'certwheel', namespace: NAMESPACE },
    ]);
  }
});

test('no role is made where the values make none, or nothing is served', async () => {
  for (const [metrics, more] of [
    [{ authentication: { enabled: true } }, { rbac: { create: false } }],
    [{ enabled: false, authentication: { enabled: true } }, {}],
  ] as const)
    assert.equal(
      ofKind(await manifestsOf(metrics, more), 'ClusterRole').filter(({ metadata }) => metadata.name === REVIEWS),
      [],
    );
});

test('with TLS the Secret is mounted where the controller reads it', async () => {
  const manifests = await manifestsOf({ tls: { secretName: 'metrics-pair' } });
  const { volumes, container } = podOf(manifests);
  const volume = volumes?.find(({ secret }) => secret?.secretName === 'metrics-pair');
  const mount = container.volumeMounts.find(({ name }) => name === volume?.name);
  const { certFile = '', keyFile = '' } = configOf(manifests).metricsTls ?? {};
  assert.equal([certFile, keyFile], [`${mount?.mountPath}/tls.crt`, `${mount?.mountPath}/tls.key`]);
  assert.is(dirname(certFile), mount?.mountPath);
});

test('the ServiceMonitor asks as the controller answers', async () => {
  const served = { tls: { secretName: 'metrics-pair' }, authentication: { enabled: true } };
  const standard = endpointOf(await manifestsOf({ ...served, serviceMonitor: { enabled: true } }));
  assert.equal(standard, {
    port: 'metrics',
    honorLabels: true,
    scheme: 'https',
    tlsConfig: {
      serverName: `certwheel-metrics.${NAMESPACE}.svc`,
      ca: { secret: { name: 'metrics-pair', key: 'ca.crt' } },
    },
    bearerTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
  });
  const tlsConfig = { caFile: '/etc/ca.crt', serverName: 'metrics.example.com' };
  const authorization = { credentials: { name: 'scraper', key: 'token' } };
  const serviceMonitor = { enabled: true, namespace: 'monitoring', tlsConfig, authorization };
  const given = endpointOf(await manifestsOf({ ...served, serviceMonitor }));
  assert.equal(given, { port: 'metrics', honorLabels: true, scheme: 'https', tlsConfig, authorization });
});

test.run();
