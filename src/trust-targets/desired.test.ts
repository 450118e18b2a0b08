import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { TrustTarget } from '../api/trust-targets.ts';
import { desiredTargets, idOf, type Places } from './desired.ts';

const target = (fields: Partial<TrustTarget>): TrustTarget => ({
  name: 'one',
  kind: 'ConfigMap',
  object: 'client-ca',
  signerName: undefined,
  formats: [],
  namespaces: undefined,
  requiredProof: 'Delivered',
  ...fields,
});
const labels: Readonly<Record<string, Record<string, string>>> = {
  a: { team: 'x' },
  b: { team: 'y' },
  c: { team: 'x' },
};
const whole: Places = { names: ['a', 'b', 'c'], labels: (name) => labels[name], isWhole: true };
const some: Places = { names: ['a', 'b'], labels: () => undefined, isWhole: false };

function ids(
  kind: 'CertificateAuthority' | 'ClusterCertificateAuthority',
  trustTargets: TrustTarget[],
  places = whole,
) {
  return desiredTargets({ kind, namespace: kind === 'CertificateAuthority' ? 'own' : '', trustTargets }, places).map(
    ({ objects }) => objects.map(idOf),
  );
}

test('the namespaced kind writes its own namespace alone, also where an older object says more', () => {
  const targets = [target({}), target({ namespaces: { all: true } }), target({ kind: 'ClusterTrustBundle' })];
  assert.equal(ids('CertificateAuthority', targets), [['ConfigMap/own/client-ca'], [], []]);
});

test('the cluster kind writes the namespaces that a target selects, and none without', () => {
  const selector = { matchLabels: { team: 'x' } };
  const targets = [
    target({ namespaces: { selector } }),
    target({ namespaces: { all: true } }),
    target({ namespaces: { names: ['b'] } }),
    target({ kind: 'ClusterTrustBundle', object: 'mesh' }),
    target({}),
  ];
  assert.equal(ids('ClusterCertificateAuthority', targets), [
    ['ConfigMap/a/client-ca', 'ConfigMap/c/client-ca'],
    ['ConfigMap/a/client-ca', 'ConfigMap/b/client-ca', 'ConfigMap/c/client-ca'],
    ['ConfigMap/b/client-ca'],
    ['ClusterTrustBundle/mesh'],
    [],
  ]);
});

test('where labels cannot be read, a selector selects nothing and says so', () => {
  const resource = { kind: 'ClusterCertificateAuthority', namespace: '' } as const;
  const selector = { matchLabels: { team: 'x' } };
  const trustTargets = [target({ namespaces: { selector } }), target({ namespaces: { names: ['a', 'z'] } })];
  const [bySelector, byName] = desiredTargets({ ...resource, trustTargets }, some);
  assert.is(bySelector?.trouble?.code, 'TrustTargetNotServed');
  assert.equal(bySelector?.objects, []);
  assert.equal(byName?.objects.map(idOf), ['ConfigMap/a/client-ca']);
  assert.equal(
    byName?.unreached.map(({ trouble }) => trouble.code),
    ['TrustTargetNotServed'],
  );
  const [, missing] = desiredTargets({ ...resource, trustTargets }, whole);
  assert.equal(
    missing?.unreached.map(({ trouble }) => trouble.code),
    ['TrustTargetNoNamespace'],
  );
});

test.run();
