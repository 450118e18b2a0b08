import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { onStop } from '../../teardown.ts';
import { untilAuthority } from '../backends/place.ts';
import { createToken, createVaultAt } from '../support/no-vault.ts';
import {
  authorityStatusOf,
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  untilReady,
} from '../support/objects.ts';
import { oneWorld } from '../support/world.ts';

const shared = oneWorld();
test.after(shared.stop);

const OFF = { status: 'False', reason: 'BackendDisabled' } as const;

test('an authority of a kind that is switched off says so, and its server is not connected to', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onStop(() => void server.close());
  await createToken(world, namespace);
  await createVaultAt(world, (server.address() as AddressInfo).port, { namespace, name: 'off' });
  await create(world, clientCertificate(namespace, 'alice', { authorityRef: { name: 'off' } }));
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'bob'));

  const scope = ['--namespaces', namespace, '--allow-loopback-authorities'];
  const narrow = await world.controller([...scope, '--authorities', 'secret,selfManaged']);
  const says = 'add vault to --authorities of the controller';
  await untilAuthority({ world, namespace }, { ...OFF, says }, { name: 'off' });
  await untilReady(world, namespace, 'alice', { status: 'False', reason: 'AuthorityNotReady' });
  await untilReady(world, namespace, 'bob');
  assert.is(connections, 0);
  await narrow.stop();

  const wide = await world.controller(scope);
  await untilAuthority({ world, namespace }, { status: 'False', reason: 'AuthorityUnreachable' }, { name: 'off' });
  assert.ok(connections > 0, 'it would have been connected to');
  await wide.stop();
});

test('a CA whose kind is switched off for a while keeps its key, and its certificates are not issued anew', async () => {
  const world = await shared.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  await create(world, clientCertificate(namespace, 'alice'));
  const scope = ['--namespaces', namespace];
  const first = await world.controller(scope);
  await untilReady(world, namespace, 'alice');
  await first.stop();
  const before = await readSecret(world, namespace, 'alice-tls');
  assert.ok(before);

  const narrow = await world.controller([...scope, '--authorities', 'vault']);
  await untilAuthority({ world, namespace }, OFF);
  await untilReady(world, namespace, 'alice');
  await narrow.stop();

  const again = await world.controller(scope);
  await untilAuthority({ world, namespace });
  const status = await authorityStatusOf(world, namespace, 'ca');
  assert.equal([status.activeGeneration, status.generations?.length], [1, 1]);
  assert.equal((await readSecret(world, namespace, 'alice-tls'))?.chain, before.chain);
  await again.stop();
});

test.run();
