/** What tools/generate.ts makes fits crds/, and what must be alike in crds/ is. Needs no cluster. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generateHelmCrds } from '../../../tools/generate/helm-crds.ts';
import { DEFINITIONS, definitionOf } from './definitions.ts';

const ROOT = join(import.meta.dirname, '../../..');

test('everything generated is what its source says', () => {
  const { status, stderr } = spawnSync(process.execPath, ['tools/generate.ts', '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.is(stderr, '');
  assert.is(status, 0);
});

test('the two kinds of authority are alike but for what is about namespaces, and for who may have requests approved', () => {
  const one = structuredClone(definitionOf('CertificateAuthority').schema);
  const cluster = structuredClone(definitionOf('ClusterCertificateAuthority').schema);
  assert.ok(cluster.properties?.spec?.properties?.allowedNamespaces);
  delete cluster.properties?.spec?.properties?.allowedNamespaces;
  for (const { properties } of [one, cluster]) {
    const policy = properties?.spec?.properties?.issuancePolicy;
    const rule = policy?.properties?.rules?.items;
    delete policy?.description;
    // The rules of a tenant have fewer patterns.
    delete policy?.properties?.rules?.description;
    delete rule?.required;
    delete rule?.properties?.namespaces;
    // A tenant's targets are in its own namespace, and its sources too.
    const { targets, sources } = properties?.spec?.properties?.trust?.properties ?? {};
    delete targets?.description;
    delete targets?.items?.['x-kubernetes-validations'];
    delete targets?.items?.properties?.namespaces;
    delete targets?.items?.properties?.clusterTrustBundle;
    delete sources?.items?.properties?.configMap?.description;
    for (const { properties: verifier } of [properties?.spec?.properties?.trust?.properties?.verifiers?.items ?? {}]) {
      // In one namespace its Services and its CA certificates, in the other those of all, and of the controller's.
      for (const field of ['address', 'service', 'serverCA']) delete verifier?.[field];
    }
    // It lists the conditions, of which the cluster kind has one more.
    delete properties?.status?.properties?.conditions?.description;
  }
  const approve = one.properties?.spec?.properties?.kubernetesCSR?.properties?.approve;
  assert.is(approve?.['x-kubernetes-validations']?.length, 1);
  delete approve?.['x-kubernetes-validations'];
  for (const part of ['spec', 'status']) assert.equal(cluster.properties?.[part], one.properties?.[part]);
  assert.equal(cluster['x-kubernetes-validations'], one['x-kubernetes-validations']);
  const columns = DEFINITIONS.filter(({ kind }) => kind.endsWith('Authority')).map(
    ({ crd }) => crd.spec.versions[0]?.additionalPrinterColumns,
  );
  assert.equal(columns[0], columns[1]);
});

test('a rule chooses namespaces as allowedNamespaces does', () => {
  const { allowedNamespaces, issuancePolicy } =
    definitionOf('ClusterCertificateAuthority').schema.properties?.spec?.properties ?? {};
  const rule = issuancePolicy?.properties?.rules?.items;
  assert.equal(rule?.required, ['name', 'namespaces']);
  const undescribed = (schema: object | undefined) =>
    JSON.stringify(schema, (key, value) => (key === 'description' ? undefined : value));
  assert.is(undescribed(rule?.properties?.namespaces), undescribed(allowedNamespaces));
});

const ANNOTATIONS = '  {{- include "certwheel.crdAnnotations" . | nindent 2 }}\n';

/** The template as Helm renders it where there are no annotations; test/chart has Helm itself. */
function render(template: string): string {
  return template
    .replace(/^\{\{- \/\*.*?\*\/\}\}\n/, '')
    .replace(/^\{\{- if \.Values\.crds\.enabled \}\}\n/, '')
    .replace(/\{\{- end \}\}\n$/, '')
    .replace(ANNOTATIONS, '')
    .replaceAll(/\{\{ "(\{\{|\}\})" \}\}/g, '$1');
}

test('the chart holds the same CRDs, with annotations from the values', () => {
  for (const { plural, crd } of DEFINITIONS) {
    const template = readFileSync(join(ROOT, `helm/certwheel/templates/crd-${plural}.yaml`), 'utf8');
    assert.ok(template.includes(`metadata:\n${ANNOTATIONS}`));
    assert.equal(load(render(template)), crd);
  }
});

test('Helm is kept from running what a description has in double braces', () => {
  const [definition] = DEFINITIONS;
  if (definition === undefined) throw new Error('crds/ is empty');
  const source = definition.source.replace('Always certwheel.io/v1alpha1.', '"Not {{ .Values.evil }}."');
  const [template] = Object.values(generateHelmCrds([{ ...definition, source }]));
  assert.match(template ?? '', 'Not {{ "{{" }} .Values.evil {{ "}}" }}.');
});

test.run();
