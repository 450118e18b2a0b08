import { isDeepStrictEqual } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { componentOf, type Manifest, ofKind, one, podOf, render } from './support/helm.ts';
import { VALUE_SETS, valuesOf } from './support/value-sets.ts';

// What neither the API server nor its schemas ask of a workload.

/** With this one there is neither a PodDisruptionBudget nor a NetworkPolicy. */
const BARE = 'bare';

/** The labels by which an object finds Pods. */
function selectorOf({ kind, spec }: Manifest): object | undefined {
  switch (kind) {
    case 'Deployment':
    case 'PodDisruptionBudget':
      return spec.selector?.matchLabels ?? {};
    case 'NetworkPolicy':
      return spec.podSelector?.matchLabels ?? {};
    case 'Service':
      return spec.selector ?? {};
    default:
      return undefined;
  }
}

const labelsOf = (manifest: Manifest) =>
  (manifest.kind === 'Pod' ? manifest.metadata.labels : manifest.spec.template?.metadata?.labels) ?? {};

function finds(selector: object, pod: Manifest): boolean {
  const labels = labelsOf(pod);
  return Object.keys(selector).length > 0 && isDeepStrictEqual({ ...labels, ...selector }, labels);
}

for (const name of VALUE_SETS) {
  test(`${name}: every container asks for memory and is held to a limit, and cannot write to its image`, async () => {
    const manifests = await render({}, valuesOf(name));
    const templates = ofKind(manifests, 'Deployment').map(({ spec }) => spec.template?.spec ?? spec);
    const pods = [...ofKind(manifests, 'Pod').map(({ spec }) => spec), ...templates];
    assert.is(pods.length, { bare: 1, everything: 4 }[name as string] ?? 2);
    for (const { resources, securityContext, image } of pods.flatMap(({ containers }) => containers)) {
      assert.ok(resources?.requests.memory && resources.limits.memory, `${image}: ${JSON.stringify(resources)}`);
      assert.is(securityContext?.readOnlyRootFilesystem, true, image);
    }
  });

  test(`${name}: the controller's container has both probes`, async () => {
    const { container } = podOf(await render({}, valuesOf(name)));
    for (const probe of ['livenessProbe', 'readinessProbe'] as const)
      assert.type(container[probe]?.httpGet?.path, 'string', probe);
  });

  test(`${name}: each selector finds the Pods that it is for, and no others`, async () => {
    const manifests = await render({}, valuesOf(name));
    const deployments = ofKind(manifests, 'Deployment');
    const pods = [...deployments, ...ofKind(manifests, 'Pod')];
    const found = manifests.flatMap((each) => {
      const selector = selectorOf(each);
      if (selector === undefined) return [];
      const isOfHelmTest = each.metadata.annotations?.['helm.sh/hook'] !== undefined;
      const wanted = isOfHelmTest
        ? one(manifests, 'Pod')
        : deployments.find((deployment) => componentOf(deployment) === componentOf(each));
      const those = pods.filter((pod) => finds(selector, pod));
      assert.equal(
        those.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
        [`${wanted?.kind} ${wanted?.metadata.name}`],
        `${each.kind} ${each.metadata.name}`,
      );
      return isOfHelmTest ? [] : [each.kind];
    });
    const all = ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service'];
    const thrice = name === 'everything' ? [...all, ...all, ...all].sort() : all;
    assert.equal(found.sort(), name === BARE ? ['Deployment'] : thrice);
  });
}

test.run();
