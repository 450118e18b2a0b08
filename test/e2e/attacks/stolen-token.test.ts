import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CSR_LABEL, makeCsr } from '../../../src/pki/csr.ts';
import { generateKey } from '../../../src/pki/keys.ts';
import { toPem } from '../../../src/pki/pem.ts';
import { NO_NAMES } from '../../../src/pki/san.ts';
import { accountKubeconfig } from '../../chart/support/account.ts';
import { install } from '../../chart/support/helm.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { connect, plainApi } from '../support/plain-api.ts';
import { oneWorld } from '../support/world.ts';
import { denialOf, NO_RIGHT, patch, rehearsed, rightsOf } from './support/act.ts';
import { CONTROLLER, markOf, pathOf, TENANT, THERE } from './support/certwheel-secrets.ts';
import { POSSIBLE_THEFTS } from './support/possible-thefts.ts';
import { MAPS_OF_PEOPLE, POSSIBLE_WITH_CSR_MAPS, THEFTS_OF_CSR_MAPS } from './support/thefts-of-csr-maps.ts';
import { CERTIFICATES_OF_PEOPLE, THEFTS_OF_FINALIZERS } from './support/thefts-of-finalizers.ts';
import { CSRS, MARKS, requestsOfPeople, signingRequest, theftsOfRequests } from './support/thefts-of-requests.ts';
import { OTHER_POSSIBLE, WITHOUT_RIGHT } from './support/thefts-of-rights.ts';
import { DENIED_THEFTS } from './support/thefts-of-secrets.ts';

// The attack: somebody has a token of the controller's ServiceAccount, and sends requests of their own to an API server with
// the roles and the policies of the chart. The tables say all that succeeds; each act that is denied stands beside its like
// that isn't.

const APPROVER = `${import.meta.dirname}/../../../examples/authorities/kubernetes-csr/approver.yaml`;

const shared = oneWorld({}, async (cluster) => void (await install(cluster)));
test.after(shared.stop);

const scene = lazily(async () => {
  const { cluster } = await shared.get();
  const admin = plainApi(cluster);
  await admin.send('POST', '/api/v1/namespaces', { metadata: { name: TENANT } });
  await admin.send('POST', `/api/v1/namespaces/${CONTROLLER}/serviceaccounts`, { metadata: { name: 'nobody' } });
  for (const secret of THERE) {
    const { name, namespace = TENANT, labels = {} } = secret.metadata;
    const { metadata } = await admin.send<{ metadata: { uid: string } }>('POST', pathOf('', namespace), secret);
    if ('certwheel.io/authority-name' in labels)
      await admin.send(
        'PATCH',
        pathOf(name, namespace),
        markOf(metadata.uid, namespace),
        'application/merge-patch+json',
      );
  }
  const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
  const der = makeCsr({ key, subject: { commonName: 'alice' }, names: NO_NAMES, usages: [] });
  const request = Buffer.from(toPem(CSR_LABEL, der)).toString('base64');
  for (const ask of [...requestsOfPeople(request), ...MAPS_OF_PEOPLE, ...CERTIFICATES_OF_PEOPLE])
    assert.is(await denialOf(admin, ask), '');
  const thief = connect(await accountKubeconfig(cluster));
  const nobody = connect(await accountKubeconfig(cluster, 'nobody'));
  const thefts = [DENIED_THEFTS, theftsOfRequests(request), THEFTS_OF_CSR_MAPS, THEFTS_OF_FINALIZERS];
  const denied = thefts.flat();
  // The API server hears of a policy a moment after it is stored.
  await eventually('the policies hold', async () => {
    const denials = thefts.map((each) => each[0]).map((act) => act && denialOf(thief, rehearsed(act.ask)));
    return (await Promise.all(denials)).every(Boolean);
  });
  return { admin, thief, nobody, denied, request };
});

test('what the roles give besides Secrets is of little use', async () => {
  const { thief } = await scene.get();
  for (const { what, ask } of OTHER_POSSIBLE) assert.is(await denialOf(thief, ask), '', what);
});

test('what the roles do not give is denied, and no administrator is', async () => {
  const { admin, thief } = await scene.get();
  for (const { what, ask, legitimate } of WITHOUT_RIGHT) {
    assert.match(await denialOf(thief, ask), NO_RIGHT, what);
    if (legitimate === undefined) assert.is(await denialOf(admin, rehearsed(ask)), '', what);
    else assert.is(await denialOf(thief, legitimate), '', what);
  }
});

test('what the roles give too much of, the policies deny, and nothing that the controller does', async () => {
  const { thief, denied } = await scene.get();
  const succeeded: string[] = [];
  const hindered: string[] = [];
  for (const { what, ask, denied: why, legitimate } of denied) {
    if (why?.test(await denialOf(thief, ask)) !== true) succeeded.push(what);
    if (legitimate === undefined || (await denialOf(thief, legitimate)) !== '') hindered.push(what);
  }
  assert.equal({ succeeded, hindered }, { succeeded: [], hindered: [] });
});

test('what looks like the work of the controller succeeds', async () => {
  const { thief } = await scene.get();
  for (const { what, ask } of [...POSSIBLE_THEFTS, ...POSSIBLE_WITH_CSR_MAPS])
    assert.is(await denialOf(thief, ask), '', what);
});

test('where approval was granted for a signer, the token approves requests of its own', async () => {
  const { cluster } = await shared.get();
  const { thief, request } = await scene.get();
  const make = signingRequest(request, 'certwheel-own', MARKS, 'kubernetes.io/kube-apiserver-client');
  assert.is(await denialOf(thief, make), '');
  const condition = { type: 'Approved', status: 'True', reason: 'Mine', message: 'mine' };
  const approve = patch(`${CSRS}/certwheel-own/approval`, { status: { conditions: [condition] } });
  assert.match(await denialOf(thief, approve), NO_RIGHT);
  await cluster.kubectl(['apply', '-f', APPROVER]);
  await eventually('the right is known', async () => !NO_RIGHT.test(await denialOf(thief, rehearsed(approve))));
  assert.is(await denialOf(thief, approve), '');
  await cluster.kubectl(['delete', '-f', APPROVER]);
});

test('every right of the token is one of these', async () => {
  const { thief, nobody, denied } = await scene.get();
  const common = await rightsOf(nobody, CONTROLLER);
  const found = [...(await rightsOf(thief, TENANT)), ...(await rightsOf(thief, CONTROLLER))];
  const known = [...OTHER_POSSIBLE, ...denied, ...POSSIBLE_THEFTS, ...POSSIBLE_WITH_CSR_MAPS].map(({ right }) => right);
  const sorted = (rights: readonly string[]) => [...new Set(rights)].sort();
  assert.equal(sorted(found.filter((each) => !common.has(each))), sorted(known));
});

test.run();
