/** Servers with revocation lists, where a list is missing or has ended: they refuse every client, unless they are set otherwise. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { eventually } from '../e2e/support/eventually.ts';
import type { Call } from '../interop/support/request.ts';
import { stopAll } from '../teardown.ts';
import {
  APACHE,
  CRL_SERVERS,
  type CrlServer,
  ENVOY,
  ENVOY_CLIENTS,
  HAPROXY,
  type More,
  POSTGRESQL,
} from './support/crl-servers.ts';
import { crlStage, isServed as isServedBy, whereAvailable } from './support/crl-stage.ts';
import { listsOf } from './support/lists.ts';

test.after(stopAll);

for (const program of await whereAvailable([...CRL_SERVERS, POSTGRESQL])) {
  const { title, ask } = program;
  const isServed = (call: Call) => isServedBy(call, ask);

  test(`${title}: a client is refused where the list of the upper CA is missing or has ended, until there is a new one`, async () => {
    const { ca, server, callOf, publish } = await crlStage(program);
    const call = callOf(await ca.issue());
    const current = await listsOf(ca.holders);
    const [signing = '', root = ''] = current;
    const [, endedRoot = ''] = await listsOf(ca.holders, { lifeMs: -1_000 });
    for (const [what, lists] of [
      ['no list of the upper CA', [signing]],
      ['a list of the upper CA that has ended', [signing, endedRoot]],
      ['no list of the CA that signs', [root]],
    ] as const) {
      await publish(lists);
      await eventually(`refused: ${what}`, async () => !(await isServed(call)));
      await publish(current);
      await eventually('served: a list of each CA', () => isServed(call));
    }
    await server.stop();
  });

  test(`${title}: a list that ends while it is in use refuses every client`, async () => {
    const { ca, server, callOf, publish } = await crlStage(program);
    const call = callOf(await ca.issue());
    await publish(await listsOf(ca.holders, { lifeMs: 6_000 }));
    assert.is(await isServed(call), true, 'the list is valid');
    await eventually('the list has ended', async () => !(await isServed(call)));
    await server.stop();
  });
}

/** The settings with which the list of the CA that signs leaves is enough; nginx has none. */
const LEAF_ALONE: readonly (readonly [CrlServer, string, More])[] = [
  [APACHE, 'SSLCARevocationCheck leaf', { 'SSLVerifyClient require': '\n  SSLCARevocationCheck leaf' }],
  // 3 is OpenSSL's number for a list that is missing.
  [HAPROXY, 'ca-ignore-err 3', { 'verify required': ' ca-ignore-err 3' }],
  [ENVOY, 'only_verify_leaf_cert_crl', { [ENVOY_CLIENTS]: '\n      only_verify_leaf_cert_crl: true' }],
];

const present = await whereAvailable(LEAF_ALONE.map(([program]) => program));
for (const [program, setting, more] of LEAF_ALONE.filter(([each]) => present.includes(each)))
  test(`${program.title}: with ${setting} no list of the upper CA is needed, and a revoked client is refused`, async () => {
    const { ca, server, callOf, publish } = await crlStage(program, more);
    const [client, other] = [await ca.issue(), await ca.issue()];
    const [signing = ''] = await listsOf(ca.holders, { revoked: [client.serial] });
    await publish([signing]);
    await eventually('the revoked client is refused', async () => !(await isServedBy(callOf(client))));
    assert.is(await isServedBy(callOf(other)), true);
    await server.stop();
  });

test.run();
