import { type Resource, SECRETS } from '../../../src/api/names.ts';
import { fieldAltered } from '../../../src/kube/difference.ts';
import { eventually } from './eventually.ts';
import type { World } from './world.ts';

/** A policy of admission that is in force. */
export interface Admission {
  /** Takes it away, and waits until it is no longer in force. */
  lift(): Promise<void>;
}

/** A Secret with all that a policy of these tests may change or refuse. */
const PROBE = {
  metadata: {
    name: 'probe',
    labels: { 'certwheel.io/certificate-name': 'probe' },
    annotations: { 'certwheel.io/certificate-uid': 'probe', 'certwheel.io/issued-at': 'probe' },
  },
  type: 'Opaque',
  data: { 'ca.crt': 'cHJvYmU=' },
};
/** The same as a Secret of a CA generation. */
const GENERATION_PROBE = {
  ...PROBE,
  metadata: { ...PROBE.metadata, labels: { 'certwheel.io/authority-name': 'probe' } },
};

/** Changes Secrets of a namespace on their way into the cluster: a JSONPatch in CEL, where all conditions in CEL hold. */
export function alterSecrets(
  world: World,
  namespace: string,
  patch: string,
  when: readonly string[],
): Promise<Admission> {
  const mutations = [{ patchType: 'JSONPatch', jsonPatch: { expression: `[${patch}]` } }];
  return enforce(world, namespace, 'Mutating', when, { reinvocationPolicy: 'Never', mutations });
}

/** Refuses Secrets of a namespace, where all conditions in CEL hold. */
export function refuseSecrets(
  world: World,
  namespace: string,
  message: string,
  when: readonly string[],
): Promise<Admission> {
  return enforce(world, namespace, 'Validating', when, { validations: [{ expression: 'false', message }] });
}

async function enforce(
  world: World,
  namespace: string,
  kind: 'Mutating' | 'Validating',
  when: readonly string[],
  spec: object,
): Promise<Admission> {
  const { client } = world;
  const name = `${kind.toLowerCase()}-${namespace}`;
  const resource = (suffix: string): Resource => ({
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    plural: `${kind.toLowerCase()}admission${suffix === '' ? 'policies' : 'policybindings'}`,
    kind: `${kind}AdmissionPolicy${suffix}`,
    namespaced: false,
  });
  const values = [namespace];
  const namespaceSelector = { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] };
  const operations = ['CREATE', 'UPDATE'];
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations, resources: ['secrets'] }];
  await client.create(resource(''), {
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { namespaceSelector, resourceRules },
      matchConditions: when.map((expression, index) => ({ name: `condition-${index}`, expression })),
      ...spec,
    },
  });
  const actions = kind === 'Validating' ? { validationActions: ['Deny'] } : {};
  await client.create(resource('Binding'), { metadata: { name }, spec: { policyName: name, ...actions } });
  // It is compiled and loaded a moment after it is written.
  await eventually(`${name} is in force`, () => isInForce(world, namespace));
  return {
    lift: async () => {
      await client.delete(resource('Binding'), undefined, name);
      await client.delete(resource(''), undefined, name);
      await eventually(`${name} is no longer in force`, async () => !(await isInForce(world, namespace)));
    },
  };
}

async function isInForce({ client }: World, namespace: string): Promise<boolean> {
  for (const probe of [PROBE, GENERATION_PROBE]) {
    const sent = { ...probe, metadata: { ...probe.metadata, namespace } };
    const stored = await client.apply(SECRETS, sent, { dryRun: true }).catch(() => undefined);
    if (stored === undefined || fieldAltered(sent, stored) !== undefined) return true;
  }
  return false;
}
