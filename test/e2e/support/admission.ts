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
  data: { 'ca.crt': 'cHJvYmU=', 'key.der': 'cHJvYmU=', 'keystore.jks': 'cHJvYmU=' },
};
/** The same as a Secret of a CA generation. */
const GENERATION_PROBE = {
  ...PROBE,
  metadata: { ...PROBE.metadata, labels: { 'certwheel.io/authority-name': 'probe' } },
};

type Probe = { readonly metadata: { readonly name: string } } & Readonly<Record<string, unknown>>;

/** What a policy is for, and objects that show whether it is in force. */
interface Target {
  readonly resource: Resource;
  readonly probes: readonly Probe[];
}

const ON_SECRETS: Target = { resource: SECRETS, probes: [PROBE, GENERATION_PROBE] };

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

/** The same with objects of another kind; `probe` is one that the API server admits, and the patch changes. */
export function alterObjects(world: World, namespace: string, resource: Resource, probe: Probe, patch: string) {
  const mutations = [{ patchType: 'JSONPatch', jsonPatch: { expression: `[${patch}]` } }];
  const target = { resource, probes: [probe] };
  return enforce(world, namespace, 'Mutating', [], { reinvocationPolicy: 'Never', mutations }, target);
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

/** The same with objects of another kind; `probe` is one for which the conditions hold. */
export function refuseObjects(
  world: World,
  namespace: string,
  { resource, probe }: { readonly resource: Resource; readonly probe: Probe },
  message: string,
  when: readonly string[],
): Promise<Admission> {
  const validations = [{ expression: 'false', message }];
  return enforce(world, namespace, 'Validating', when, { validations }, { resource, probes: [probe] });
}

async function enforce(
  world: World,
  namespace: string,
  kind: 'Mutating' | 'Validating',
  when: readonly string[],
  spec: object,
  target = ON_SECRETS,
): Promise<Admission> {
  const { client } = world;
  const { group, version, plural } = target.resource;
  const name = `${kind.toLowerCase()}-${plural}-${namespace}`;
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
  const resourceRules = [{ apiGroups: [group], apiVersions: [version], operations, resources: [plural] }];
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
  await eventually(`${name} is in force`, () => isInForce(world, namespace, target));
  return {
    lift: async () => {
      await client.delete(resource('Binding'), undefined, name);
      await client.delete(resource(''), undefined, name);
      await eventually(`${name} is no longer in force`, async () => !(await isInForce(world, namespace, target)));
    },
  };
}

async function isInForce({ client }: World, namespace: string, { resource, probes }: Target): Promise<boolean> {
  for (const probe of probes) {
    const sent = { ...probe, metadata: { ...probe.metadata, namespace } };
    const stored = await client.apply(resource, sent, { dryRun: true }).catch(() => undefined);
    if (stored === undefined || fieldAltered(sent, stored) !== undefined) return true;
  }
  return false;
}
