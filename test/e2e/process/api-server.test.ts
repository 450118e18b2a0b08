import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLIENT_CERTIFICATES } from '../../../src/api/names.ts';
import { eventually } from '../support/eventually.ts';
import { issuedAt } from '../support/moments.ts';
import { createAuthority, readSecret, selfManaged } from '../support/objects.ts';
import { issuances, revisionOf, watchSecrets } from '../support/secret-witness.ts';
import { oneWorld, type World } from '../support/world.ts';
import { bugs, createAll, lines, numbered, QUICK, untilAllReady, untilQuiet } from './support/fleet.ts';
import { faultsOf, publishedSerials, signedAndLost, unjustified } from './support/justified.ts';

const shared = oneWorld({ own: true });
test.after(shared.stop);

test('a restart of the API server in the middle of the work publishes nothing twice', async () => {
  const world = await shared.get();
  const controller = await world.controller();
  const namespace = await world.namespace();
  const names = numbered(30);
  await createAuthority(world, selfManaged(namespace));
  await createAll(world, namespace, names.slice(0, 15));
  await untilAllReady(world, namespace, 15);
  const secrets = await watchSecrets(world, namespace);
  // It goes down while these are created one by one, and each is issued as soon as it is there.
  const creating = createStubbornly(world, namespace, names.slice(15));
  await eventually('the first of them is there', () =>
    world.client.get(CLIENT_CERTIFICATES, namespace, names[15] ?? ''),
  );
  await world.cluster.restartApiServer({ downForMs: 1_000 });
  await creating;
  const healedMs = await untilAllReady(world, namespace, 30);
  await untilQuiet(world, namespace);
  await secrets.settled();

  assert.equal(faultsOf(secrets, names), []);
  const published = publishedSerials(secrets, names);
  assert.is(published.length, 30, 'one certificate each');
  for (const name of names)
    assert.is(revisionOf((await readSecret(world, namespace, `${name}-tls`))?.object), 1, `${name} was issued again`);
  const { signed, lost } = signedAndLost([controller.logs], published);
  assert.equal(bugs(controller.logs), []);
  console.log(`Ready ${healedMs} ms after it was back; ${signed} signed, ${lost} lost`);
  assert.is(await controller.stop(), 0);
});

test('certificates that fell due while the API server was away are rotated soon after', async () => {
  const world = await shared.get();
  const controller = await world.controller();
  const namespace = await world.namespace();
  const names = numbered(10);
  await createAuthority(world, selfManaged(namespace));
  await createAll(world, namespace, names, QUICK);
  await untilAllReady(world, namespace, 10);
  const secrets = await watchSecrets(world, namespace);
  await world.cluster.restartApiServer({ downForMs: 20_000 });
  const back = Date.now();
  const renewal = (name: string) => issuances(secrets.versions(`${name}-tls`))[1]?.object;
  await eventually('each is rotated', () => names.every(renewal));
  const lateMs = Math.max(...names.map((name) => issuedAt(renewal(name) ?? {}).getTime())) - back;
  assert.ok(lateMs < 25_000, `${lateMs} ms`);
  await untilAllReady(world, namespace, 10);
  await secrets.settled();

  assert.equal(faultsOf(secrets, names), []);
  assert.equal(unjustified(secrets, names, 7_000), []);
  assert.equal(bugs(controller.logs), []);
  const failed = lines(controller.logs, 'run failed').length;
  const signed = lines(controller.logs, 'signing').length;
  const published = lines(controller.logs, 'certificate issued').length;
  // A run without an answer discards what it signed: each may cost one certificate, and none costs two.
  assert.ok(signed <= published + failed, `${signed} signed, ${published} published, ${failed} failed runs`);
  console.log(
    `all rotated ${lateMs} ms after it was back; ${failed} failed runs, ${signed} signed, ${published} published`,
  );
  assert.is(await controller.stop(), 0);
});

async function createStubbornly(world: World, namespace: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const isThere = async () => (await world.client.get(CLIENT_CERTIFICATES, namespace, name)) !== undefined;
    await eventually(`${name} is created`, async () => {
      await createAll(world, namespace, [name]).catch(() => {});
      return isThere().catch(() => false);
    });
  }
}

test.run();
