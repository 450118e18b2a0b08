/** kube-apiserver takes the common name and the organizations of a certificate for user and groups: RBAC by O=finance. */
import { loadAll } from 'js-yaml';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Subject } from '../../src/pki/name.ts';
import { lazily } from '../e2e/support/lazily.ts';
import { stopAll } from '../teardown.ts';
import { kubeApiserver, review, userOf } from './servers/kube-apiserver.ts';
import { authority, SERVER } from './support/authority.ts';
import { configuration } from './support/configuration.ts';
import { request } from './support/request.ts';
import { startStage } from './support/stage.ts';

test.after(stopAll);

const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop';

const shared = lazily(async () => {
  const ca = await authority(2);
  const { server, own } = await startStage(await kubeApiserver.install(), await ca.issue(SERVER));
  const as = async (subject: Subject) => ({ port: server.port, ca: own.ca, client: await ca.issue({ subject }) });
  const admin = await as({ commonName: 'admin', organizations: ['system:masters'] });
  const create = async (path: string, object: unknown) => {
    const { status, body } = await request({ ...admin, path, json: JSON.stringify(object) });
    assert.is(status, 201, body);
  };
  await create('/api/v1/namespaces', { metadata: { name: 'shop' } });
  for (const name of ['transactions', 'others'])
    await create('/api/v1/namespaces/shop/configmaps', { metadata: { name }, data: { of: name } });
  const objects = loadAll(configuration('kube-apiserver/finance.yaml', {})) as { kind: string }[];
  for (const object of objects) await create(`${RBAC}/${object.kind.toLowerCase()}s`, object);
  return { as };
});

async function read(subject: Subject, name: string): Promise<number> {
  const { as } = await shared.get();
  return (await request({ ...(await as(subject)), path: `/api/v1/namespaces/shop/configmaps/${name}` })).status;
}

test('the common name is the user, and the organizations are the groups', async () => {
  const { as } = await shared.get();
  const organizations = ['finance', 'audit'];
  const { body } = await review(await as({ commonName: 'orders', organizations, organizationalUnits: ['ledger'] }));
  const { username, groups } = userOf(body);
  assert.equal([username, groups], ['orders', [...organizations, 'system:authenticated']]);
});

test('only a member of O=finance reads the ConfigMap transactions, and no other ConfigMap', async () => {
  const finance = { commonName: 'orders', organizations: ['audit', 'finance'] };
  assert.is(await read(finance, 'transactions'), 200);
  assert.is(await read(finance, 'others'), 403);
});

test('no other place of the subject makes a member', async () => {
  const others: readonly Subject[] = [
    { commonName: 'orders' },
    { commonName: 'finance' },
    { commonName: 'O=finance' },
    { commonName: 'orders', organizations: ['Finance'] },
    { commonName: 'orders', organizations: ['finance-interns'] },
    { commonName: 'orders', organizations: ['shop,O=finance'] },
    { commonName: 'orders', organizationalUnits: ['finance'] },
  ];
  for (const subject of others) assert.is(await read(subject, 'transactions'), 403, JSON.stringify(subject));
});

test.run();
