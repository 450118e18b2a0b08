import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RESPONDER_KEYS_NAME } from '../../src/api/books-names.ts';
import { CRL_PERMISSIONS, CRL_READER_PERMISSIONS, type PolicyRule } from '../../src/api/permissions.ts';
import { parseResponderFlags } from '../../src/responder/flags.ts';
import { REVOCATION_RESPONDER } from '../../tools/image/settings.ts';
import { type Manifest, NAMESPACE, one, render } from './support/helm.ts';

const NAME = 'certwheel-responder';
const ENABLED = { responder: { enabled: true } };

const partsOf = (manifests: readonly Manifest[], ...names: string[]) =>
  manifests
    .filter(({ metadata }) => names.includes(metadata.name))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const rulesOf = (rules: readonly PolicyRule[]) => rules.map(({ why: _, ...rule }) => rule);

test('there is no responder, and no right to publish CRLs, unless it is asked for', async () => {
  assert.equal(partsOf(await render(), NAME, 'certwheel-crls'), []);
  const parts = partsOf(await render(ENABLED), NAME, 'certwheel-crls');
  const own = [
    'Deployment',
    'NetworkPolicy',
    'PodDisruptionBudget',
    'Role',
    'RoleBinding',
    'Service',
    'ServiceAccount',
  ];
  const all = [...own.map((kind) => `${kind} ${NAME}`), 'Role certwheel-crls', 'RoleBinding certwheel-crls'];
  assert.equal(parts.sort(), all.sort());
});

test('the responder reads ConfigMaps of its namespace and mounts its keys, and nothing else', async () => {
  const manifests = await render(ENABLED);
  const pod = one(manifests, 'Deployment', NAME).spec.template?.spec;
  assert.ok(pod);
  assert.is(pod.serviceAccountName, NAME);
  const secret = { secretName: RESPONDER_KEYS_NAME, optional: true, defaultMode: 0o440 };
  assert.equal(pod.volumes, [{ name: 'keys', secret }]);
  const role = one(manifests, 'Role', NAME);
  assert.is(role.metadata.namespace, NAMESPACE);
  assert.equal(role.rules, rulesOf(CRL_READER_PERMISSIONS));
  assert.equal(one(manifests, 'RoleBinding', NAME).subjects, [
    { kind: 'ServiceAccount', name: NAME, namespace: NAMESPACE },
  ]);
  const [container, ...others] = pod.containers;
  assert.equal(others, []);
  assert.is(container?.securityContext?.readOnlyRootFilesystem, true);
  assert.ok(container?.resources.limits.memory);
  assert.is(container?.env, undefined);
});

test('its command is the program of the image, which understands its arguments', async () => {
  const [container] = one(await render(ENABLED), 'Deployment', NAME).spec.template?.spec.containers ?? [];
  assert.is(container?.command?.at(-1), REVOCATION_RESPONDER);
  assert.equal(parseResponderFlags(container?.args ?? []), {
    address: { host: undefined, port: 8090 },
    namespace: NAMESPACE,
    keys: container?.volumeMounts[0]?.mountPath,
    kubeconfig: undefined,
    logLevel: 'info',
    logFormat: 'json',
  });
});

test('neither its objects find other Pods, nor other objects its Pods', async () => {
  const manifests = await render({ ...ENABLED, acmeResponder: { enabled: true }, metrics: { enabled: true } });
  const names = [NAME, 'certwheel', 'certwheel-acme-responder'];
  const finds = (selector: Readonly<Record<string, unknown>>, labels: Readonly<Record<string, string>>) =>
    Object.entries(selector).every(([key, value]) => labels[key] === value);
  for (const { kind, metadata, spec } of manifests) {
    if (!['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service'].includes(kind)) continue;
    if (metadata.annotations?.['helm.sh/hook'] !== undefined) continue;
    const selector = spec.podSelector?.matchLabels ?? spec.selector?.matchLabels ?? spec.selector ?? {};
    const found = names.filter((name) =>
      finds(selector, one(manifests, 'Deployment', name).spec.template?.metadata?.labels ?? {}),
    );
    const owner = names.includes(metadata.name) ? metadata.name : 'certwheel';
    assert.equal(found, [owner], `${kind} ${metadata.name}`);
  }
});

test('the controller publishes CRLs and keys in its own namespace, also where it serves single namespaces', async () => {
  for (const given of [ENABLED, { ...ENABLED, namespaces: ['shop'] }]) {
    const manifests = await render(given);
    const role = one(manifests, 'Role', 'certwheel-crls');
    assert.is(role.metadata.namespace, NAMESPACE);
    assert.equal(role.rules, rulesOf(CRL_PERMISSIONS));
    const { subjects } = one(manifests, 'RoleBinding', 'certwheel-crls');
    const account = { kind: 'ServiceAccount', name: 'certwheel', namespace: NAMESPACE };
    assert.equal(subjects, [account]);
  }
});

test('without disruption budgets and network policies it has none either', async () => {
  const given = { ...ENABLED, networkPolicy: { enabled: false }, podDisruptionBudget: { enabled: false } };
  const parts = partsOf(await render(given), NAME);
  assert.not(parts.some((part) => /NetworkPolicy|PodDisruptionBudget/.test(part)));
});

test.run();
