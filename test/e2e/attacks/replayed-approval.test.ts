import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES, resourcePath } from '../../../src/api/names.ts';
import { decide } from '../support/approvals.ts';
import { patchCertificate } from '../support/edits.ts';
import { QUIET_MS } from '../support/eventually.ts';
import {
  clientCertificate,
  conditionOf,
  create,
  createAuthority,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { plainApi } from '../support/plain-api.ts';
import { signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

// The attack: a user with an approval of one request gets another one issued with it, or writes an approval into a status.

const issuancePolicy = { rules: [{ name: 'seen', commonNames: ['*'], approval: 'Required' }] };
const scene = oneScene({ flags: ['--approvals'], authority: { issuancePolicy } }, async ({ world, namespace }) => {
  await createAuthority(world, selfManaged(namespace, 'other', { issuancePolicy }));
  return {};
});
test.after(scene.stop);

/** Waits until it is refused for that reason; afterwards no more was signed than `most`. */
async function unsigned(name: string, reason = 'ApprovalPending', most = 0, type = 'Ready') {
  const { world, controller, namespace } = await scene.get();
  await untilReady(world, namespace, name, { type, status: type === 'Ready' ? 'False' : 'True', reason });
  await sleep(QUIET_MS);
  assert.is(signatures(controller, namespace, name), most);
}

test('the control: what was approved is issued', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'good'));
  await unsigned('good');
  await decide(world, namespace, 'good');
  await untilReady(world, namespace, 'good');
});

test('an approval does not count for a ClientCertificate that is made anew under the same name', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'anew'));
  await decide(world, namespace, 'anew');
  await untilReady(world, namespace, 'anew');
  await world.client.delete(CLIENT_CERTIFICATES, namespace, 'anew');
  await create(world, clientCertificate(namespace, 'anew', { secretName: 'second-tls' }));
  await unsigned('anew', 'ApprovalPending', 1);
});

test('an approval does not count for another authority', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'elsewhere', { authorityRef: { name: 'other' } }));
  await decide(world, namespace, 'elsewhere', { authorityRef: { kind: 'CertificateAuthority', name: 'ca' } });
  await unsigned('elsewhere');
  await decide(world, namespace, 'elsewhere');
  await untilReady(world, namespace, 'elsewhere');
});

test('an approval does not count for a request with another name', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'renamed'));
  await decide(world, namespace, 'renamed');
  await untilReady(world, namespace, 'renamed');
  await patchCertificate(world, namespace, 'renamed', { spec: { commonName: 'root' } });
  await unsigned('renamed', 'ApprovalPending', 1, 'Issuing');
});

test('a status that says approved, or ready, approves nothing', async () => {
  const { world, namespace } = await scene.get();
  await create(world, clientCertificate(namespace, 'forged'));
  await decide(world, namespace, 'forged', { decision: 'Denied' });
  const status = await untilReady(world, namespace, 'forged', { status: 'False', reason: 'ApprovalDenied' });
  const ready = {
    ...conditionOf(status, 'Ready'),
    type: 'Ready',
    status: 'True',
    reason: 'Issued',
    message: 'approved',
  };
  const path = resourcePath(CLIENT_CERTIFICATES, namespace, 'forged', 'status');
  const forged = { status: { conditions: [ready] } };
  await plainApi(world.cluster).send('PATCH', path, forged, 'application/merge-patch+json');
  await unsigned('forged', 'ApprovalDenied');
});

test.run();
