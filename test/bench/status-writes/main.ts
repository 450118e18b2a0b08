/**
 * What a status write costs the API server: of our kinds as crds/ has them, without their CEL rules, and of the same objects
 * under a schema that checks nothing. In rounds that take turns, so that what the machine does meanwhile hits all alike.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { NAMESPACES, type Resource } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { systemClock } from '../../../src/clock.ts';
import { KubeconfigConnection } from '../../../src/kube/auth.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { writeStatus } from '../../../src/wiring/services.ts';
import { fields, type Schema } from '../../../tools/generate/crd.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { eventually } from '../../e2e/support/eventually.ts';
import { cpuMsOf } from '../machine/watch.ts';
import { inLanes, pidIn } from '../processes.ts';
import { median } from '../statistics.ts';
import { KINDS, type Kind } from './kinds.ts';

// With fewer, the garbage collections of the API server fall on some rounds alone.
const OBJECTS = 600;
const AT_ONCE = 20;
const ROUNDS = 8;
const NAMESPACE = 'status-writes';
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

interface Definition {
  metadata: { name: string; annotations?: unknown };
  spec: {
    group: string;
    names: { categories?: unknown; shortNames?: unknown };
    versions: [{ schema: { openAPIV3Schema: Schema }; additionalPrinterColumns?: unknown; selectableFields?: unknown }];
  };
}

const ANYTHING = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** What is compared, each under a group of its own; the first is the measure of the others. */
const VARIANTS: Readonly<Record<string, (definition: Definition) => void>> = {
  trivial: ({ spec: { versions } }) => {
    versions[0].schema.openAPIV3Schema = { type: 'object', properties: { spec: ANYTHING, status: ANYTHING } } as Schema;
    versions[0].additionalPrinterColumns = undefined;
    versions[0].selectableFields = undefined;
  },
  ours: () => {},
  'ours without rules': ({ spec: { versions } }) => {
    for (const { schema } of fields(versions[0].schema.openAPIV3Schema)) delete schema['x-kubernetes-validations'];
  },
};

const cluster = await startControlPlane();
const client = new KubeClient({
  connections: new KubeconfigConnection({ kubeconfig: cluster.kubeconfigPath, clock: systemClock, logger: QUIET }),
  clock: systemClock,
});
const apiServer = pidIn(cluster, 'kube-apiserver');

interface Subject {
  readonly kind: Kind;
  readonly variant: string;
  readonly resource: Resource;
  readonly objects: RawObject[];
  readonly costs: { readonly cpuMs: number; readonly perSecond: number }[];
}

await client.create(NAMESPACES, { metadata: { name: NAMESPACE } });
const subjects: Subject[] = [];
for (const kind of KINDS) {
  // Ours first: the trivial schema gets the spec with our defaults.
  let template: readonly RawObject[] = [];
  for (const variant of ['ours', 'ours without rules', 'trivial']) {
    const subject = await prepare(kind, variant, template);
    if (variant === 'ours') template = subject.objects;
    subjects.push(subject);
  }
}

for (let round = 0; round <= ROUNDS; round++)
  for (const subject of subjects) {
    const cost = await measure(subject);
    // The first round warms the API server up.
    if (round > 0) subject.costs.push(cost);
  }
print();
await client.close();
await cluster.stop();

async function prepare(kind: Kind, variant: string, template: readonly RawObject[]): Promise<Subject> {
  const definition = load(readFileSync(join(import.meta.dirname, '../../../crds', kind.file), 'utf8')) as Definition;
  const group = `${variant.replaceAll(' ', '-')}.example.com`;
  const resource = { ...kind.resource, group };
  definition.spec.group = group;
  definition.metadata = { name: `${kind.resource.plural}.${group}` };
  definition.spec.names.categories = undefined;
  definition.spec.names.shortNames = undefined;
  VARIANTS[variant]?.(definition);
  await cluster.kubectl(['create', '-f', '-'], { input: JSON.stringify(definition) });
  await eventually(`${kind.resource.kind} of ${group} is served`, () =>
    client.list(resource, { namespace: NAMESPACE }).then(
      () => true,
      () => false,
    ),
  );
  const objects: RawObject[] = [];
  await inLanes(Array(OBJECTS).keys(), AT_ONCE, async (index) => {
    const name = `object-${index}`;
    const spec = template.find(({ metadata }) => metadata?.name === name)?.spec ?? kind.spec(name);
    objects.push(await client.create(resource, { metadata: { namespace: NAMESPACE, name }, spec }));
  });
  return { kind, variant, resource, objects, costs: [] };
}

async function measure({ kind, resource, objects }: Subject): Promise<Subject['costs'][number]> {
  const [cpuBefore, startedMs] = [cpuMsOf(apiServer), performance.now()];
  await inLanes(objects.keys(), AT_ONCE, async (index) => {
    const { name = '', uid = '', resourceVersion = '' } = objects[index]?.metadata ?? {};
    const status = kind.status(systemClock.now());
    const versioned = { namespace: NAMESPACE, name, uid, resourceVersion };
    objects[index] = await writeStatus(client, resource, versioned, status, ['Ready']);
  });
  const seconds = (performance.now() - startedMs) / 1000;
  return { cpuMs: (cpuMsOf(apiServer) - cpuBefore) / objects.length, perSecond: objects.length / seconds };
}

function print(): void {
  console.log('| status write | CPU of the API server | compared with a trivial schema | writes a second |');
  console.log('| --- | --- | --- | --- |');
  for (const { kind, variant, costs } of subjects) {
    const measure = subjects.find((each) => each.kind === kind && each.variant === 'trivial')?.costs ?? [];
    const ratio = median(costs.map(({ cpuMs }, round) => cpuMs / (measure[round]?.cpuMs ?? Number.NaN)));
    const cells = [
      `${kind.resource.kind}, ${variant}`,
      `${median(costs.map(({ cpuMs }) => cpuMs)).toFixed(2)} ms`,
      ratio.toFixed(2),
      median(costs.map(({ perSecond }) => perSecond)).toFixed(0),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
