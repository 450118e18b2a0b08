import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'uvu';
import { onStop } from '../../teardown.ts';
import { createToken, createVaultAt } from '../support/no-vault.ts';
import { clientCertificate, create, createAuthority, selfManaged, untilReady } from '../support/objects.ts';
import { oneScene } from '../support/scene.ts';
import { eventually } from '../support/world.ts';

// Very many authorities refer to a server that accepts every connection and never answers.

const SILENT = 60;

const scene = oneScene({ authority: false, flags: ['--allow-loopback-authorities'] });
test.after(scene.stop);
const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
let connections = 0;
server.on('connection', () => void connections++);
onStop(() => void server.close());

test('authorities whose servers are silent delay no other', async () => {
  const { world, namespace } = await scene.get();
  if (!server.listening) await once(server, 'listening');
  await createToken(world, namespace);
  const { port } = server.address() as AddressInfo;
  for (let index = 0; index < SILENT; index++) await createVaultAt(world, port, { namespace, name: `silent-${index}` });
  await eventually('all are asked at the same time', async () => connections >= SILENT);
  const elsewhere = await world.namespace();
  await createAuthority(world, selfManaged(elsewhere));
  await create(world, clientCertificate(elsewhere, 'alice'));
  // Four at a time, they would take two minutes and a half.
  await untilReady(world, elsewhere, 'alice', {}, 30_000);
});

test.run();
