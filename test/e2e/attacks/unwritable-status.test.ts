import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Resource, SECRETS } from '../../../src/api/names.ts';
import { refuseSecrets } from '../support/admission.ts';
import { clientCertificate, create, untilReady } from '../support/objects.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';
import { eventually, type World } from '../support/world.ts';

// Neither the Secret of a certificate nor the status of the failure can be written, so each attempt could sign again.

const ATTEMPTS = 3;

const scene = oneScene();
test.after(scene.stop);

function admission(plural: string, kind: string): Resource {
  return { group: 'admissionregistration.k8s.io', version: 'v1', plural, kind, namespaced: false };
}

/** Soon afterwards the API server refuses every status of the ClientCertificates of a namespace. */
async function refuseStatus({ client }: World, namespace: string): Promise<void> {
  const name = `status-${namespace}`;
  const values = [namespace];
  const resourceRule = { apiVersions: ['v1alpha1'], operations: ['UPDATE'], resources: ['clientcertificates/status'] };
  await client.create(admission('validatingadmissionpolicies', 'ValidatingAdmissionPolicy'), {
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] },
        resourceRules: [{ apiGroups: ['certwheel.io'], ...resourceRule }],
      },
      validations: [{ expression: 'false', message: 'no status' }],
    },
  });
  await client.create(admission('validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding'), {
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  });
}

test('a certificate that cannot be published is signed once, even if its status cannot be written', async () => {
  const { world, controller, namespace } = await scene.get();
  // The positive control, before anything is refused.
  await create(world, clientCertificate(namespace, 'before'));
  await untilReady(world, namespace, 'before');
  await refuseStatus(world, namespace);
  const ofCertificates = "'certwheel.io/certificate-name' in object.metadata.?labels.orValue({})";
  const policy = await refuseSecrets(world, namespace, 'no Secrets', [ofCertificates]);
  await create(world, clientCertificate(namespace, 'client'));
  const attempts = () =>
    controller.logs.filter(({ message, name }) => message === 'rotation failed' && name === 'client');
  await eventually('it has been tried again', () => attempts().length >= ATTEMPTS, 120_000);
  assert.match(String(attempts()[0]?.error), 'no Secrets');
  assert.is(signatures(controller, namespace, 'client'), 1);
  await policy.lift();
  await eventually('its Secret is there', () => world.client.get(SECRETS, namespace, 'client-tls'), 120_000);
  assert.is(signatures(controller, namespace, 'client'), 2);
});

test.run();
