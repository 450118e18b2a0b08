import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseResponderFlags } from '../../src/acme-responder/flags.ts';
import { RESPONDER_PERMISSIONS } from '../../src/api/permissions.ts';
import { RESPONDER } from '../../tools/image/settings.ts';
import { type Manifest, NAMESPACE, ofKind, one, render } from './support/helm.ts';

const NAME = 'certwheel-acme-responder';
const ENABLED = { acmeResponder: { enabled: true } };

const partsOf = (manifests: readonly Manifest[]) => manifests.filter(({ metadata }) => metadata.name === NAME);

test('there is no responder unless it is asked for', async () => {
  assert.equal(partsOf(await render()), []);
  const kinds = partsOf(await render(ENABLED)).map(({ kind }) => kind);
  const all = ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Role', 'RoleBinding', 'Service'];
  assert.equal(kinds.sort(), all);
});

test('the responder has no token, no Secret and no way out, and is held to a limit', async () => {
  const manifests = await render(ENABLED);
  const pod = one(manifests, 'Deployment', NAME).spec.template?.spec;
  assert.ok(pod);
  assert.is((pod as unknown as { automountServiceAccountToken: boolean }).automountServiceAccountToken, false);
  assert.is(pod.serviceAccountName, undefined);
  assert.equal(
    pod.volumes?.map((volume) => Object.keys(volume).filter((key) => key !== 'name')),
    [['configMap']],
  );
  const [container, ...others] = pod.containers;
  assert.equal(others, []);
  assert.is(container?.securityContext?.readOnlyRootFilesystem, true);
  assert.ok(container?.resources.limits.memory);
  assert.is(container?.env, undefined);
  const { egress } = one(manifests, 'NetworkPolicy', NAME).spec;
  assert.equal(egress, []);
});

test('its command is the program of the image, which understands its arguments', async () => {
  const [container] = one(await render(ENABLED), 'Deployment', NAME).spec.template?.spec.containers ?? [];
  assert.is(container?.command?.at(-1), RESPONDER);
  const config = parseResponderFlags(container?.args ?? []);
  assert.equal(config, {
    address: { host: undefined, port: 8089 },
    accounts: container?.volumeMounts[0]?.mountPath,
    logLevel: 'info',
    logFormat: 'json',
  });
});

test('neither its objects find Pods of the controller, nor those of the controller its Pods', async () => {
  const manifests = await render({ ...ENABLED, metrics: { enabled: true } });
  const labelsOf = (name: string) => one(manifests, 'Deployment', name).spec.template?.metadata?.labels ?? {};
  const finds = (selector: Readonly<Record<string, unknown>>, labels: Readonly<Record<string, string>>) =>
    Object.entries(selector).every(([key, value]) => labels[key] === value);
  for (const { kind, metadata, spec } of manifests) {
    if (!['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service'].includes(kind)) continue;
    if (metadata.annotations?.['helm.sh/hook'] !== undefined) continue;
    const selector = spec.podSelector?.matchLabels ?? spec.selector?.matchLabels ?? spec.selector ?? {};
    assert.is(finds(selector, labelsOf(NAME)), metadata.name === NAME, `${kind} ${metadata.name}`);
    assert.is(finds(selector, labelsOf('certwheel')), metadata.name !== NAME, `${kind} ${metadata.name}`);
  }
});

test('the controller may write one ConfigMap for it, in its own namespace, and reach port 80', async () => {
  for (const given of [ENABLED, { ...ENABLED, namespaces: ['shop'] }]) {
    const manifests = await render(given);
    const role = one(manifests, 'Role', NAME);
    assert.is(role.metadata.namespace, NAMESPACE);
    assert.equal(
      role.rules,
      RESPONDER_PERMISSIONS.map(({ why: _, ...rule }) => rule),
    );
    assert.equal(
      one(manifests, 'RoleBinding', NAME).subjects?.map(({ namespace }) => namespace),
      [NAMESPACE],
    );
    const ports = one(manifests, 'NetworkPolicy', 'certwheel').spec.egress?.flatMap((each) => each.ports);
    assert.ok(ports?.some(({ port }) => port === 80));
  }
  const without = one(await render(), 'NetworkPolicy', 'certwheel').spec.egress?.flatMap((each) => each.ports);
  assert.not(without?.some(({ port }) => port === 80));
});

test('without disruption budgets and network policies it has none either', async () => {
  const given = { ...ENABLED, networkPolicy: { enabled: false }, podDisruptionBudget: { enabled: false } };
  const manifests = await render(given);
  for (const kind of ['NetworkPolicy', 'PodDisruptionBudget']) assert.equal(ofKind(manifests, kind), []);
});

test.run();
