import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { untilClusterAuthority } from '../backends/place.ts';
import { QUIET_MS } from '../support/eventually.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { applyWithOtherTerms } from '../support/older-crds.ts';
import { signatures } from '../support/recorded.ts';
import { authorityWithRules, granted } from '../support/rules.ts';
import { oneScene } from '../support/scene.ts';

// Rules that another version of the schema admitted. What can't be read allows nothing, and is not taken for the absence of a term.

const scene = oneScene({ authority: false, isHome: true, flags: ['--approvals'], install: applyWithOtherTerms });
test.after(scene.stop);

const RULE = { name: 'clients', namespaces: { all: true }, commonNames: ['*'] };
const { namespaces: _, ...WITHOUT_NAMESPACES } = RULE;

test('the control: a rule of this version issues', async () => {
  const { world, namespace } = await scene.get();
  const authorityRef = await authorityWithRules(world, namespace, [RULE]);
  await granted(world, namespace, 'good', { authorityRef });
});

const STORED: Readonly<Record<string, readonly [issuancePolicy: object, says: string]>> = {
  'no rules': [{}, "must have required property 'rules'"],
  'a rule for no namespaces': [{ rules: [WITHOUT_NAMESPACES] }, "must have required property 'namespaces'"],
  'an approval in small letters': [
    { rules: [{ ...RULE, approval: 'required' }] },
    'spec.issuancePolicy.rules.0.approval',
  ],
  'an approval of a later version': [
    { rules: [{ ...RULE, approval: 'Twice' }] },
    'spec.issuancePolicy.rules.0.approval',
  ],
  'a duration in days': [{ rules: [{ ...RULE, maxDuration: '1d' }] }, 'spec.issuancePolicy.rules.0.maxDuration'],
  'no certificates': [{ rules: [{ ...RULE, maxCertificates: 0 }] }, 'spec.issuancePolicy.rules.0.maxCertificates'],
  'a usage of a later version': [
    { rules: [{ ...RULE, usages: ['timestamping'] }] },
    'spec.issuancePolicy.rules.0.usages',
  ],
  'a term of a later version': [
    { rules: [{ ...RULE, forbidden: '*' }] },
    'spec.issuancePolicy.rules[0].forbidden is a field',
  ],
};

test('rules that another version admitted and this one can not read issue nothing, and the authority says which', async () => {
  const { world, controller, namespace } = await scene.get();
  for (const [index, [sentence, [issuancePolicy, says]]] of Object.entries(STORED).entries()) {
    const name = `${namespace}-${index}`;
    await world.client.create(CLUSTER_CERTIFICATE_AUTHORITIES, {
      metadata: { name },
      spec: { selfManaged: { commonName: name }, allowedNamespaces: { all: true }, issuancePolicy },
    });
    await untilClusterAuthority(world, name, { status: 'False', says }).catch((error: Error) => {
      throw new Error(`${sentence}: ${error.message}`);
    });
    const authorityRef = { kind: 'ClusterCertificateAuthority', name };
    await create(world, clientCertificate(namespace, `c${index}`, { authorityRef }));
    await untilReady(world, namespace, `c${index}`, { status: 'False', reason: 'AuthorityNotReady' });
  }
  await sleep(QUIET_MS);
  for (const index of Object.keys(STORED).keys()) assert.is(signatures(controller, namespace, `c${index}`), 0);
});

test('a rule of namespaces that names none serves none', async () => {
  const { world, namespace } = await scene.get();
  const authorityRef = await authorityWithRules(world, `${namespace}-none`, [{ ...RULE, namespaces: {} }]);
  await create(world, clientCertificate(namespace, 'none', { authorityRef }));
  await untilReady(world, namespace, 'none', { status: 'False', reason: 'DeniedByPolicy' });
});

test.run();
