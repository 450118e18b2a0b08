import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type CertificateView, parseCertificates } from '../../../src/pki/certificate.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { renewAt, untilRevision } from '../support/edits.ts';
import { lazily } from '../support/lazily.ts';
import { clientCertificate, create, readSecret, statusOf, untilReady } from '../support/objects.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { altered, FORGERIES, type Honest } from './forgeries.ts';
import type { Meddle, Meddler } from './meddler.ts';
import { readyAuthority } from './place.ts';
import { CA_PASSWORD, makeStepCa } from './servers/step-ca.ts';
import { serve, stepCaSubject } from './step-ca-subject.ts';
import type { Place } from './subject.ts';

const worlds = oneWorld();
const servers = lazily(async () => serve(await makeStepCa()));
test.after(async () => {
  await worlds.stop();
  await servers.stop();
});

interface Stage {
  readonly where: Place;
  readonly proxy: Meddler;
  readonly controller: ControllerProcess;
  /** Answers what `forge` makes of the right answer to requests for a certificate. */
  lie(forge: (honest: Honest) => readonly unknown[], heldSerial?: string): void;
  tellTheTruth(): void;
}

let stage: Promise<Stage> | undefined;
function staged(): Promise<Stage> {
  stage ??= setTheStage();
  return stage;
}

/** One authority behind the proxy, and a certificate for each lie, so that there is something to spoil. */
async function setTheStage(): Promise<Stage> {
  const [world, served] = await Promise.all([worlds.get(), servers.get()]);
  const controller = await world.controller(['--allow-loopback-authorities']);
  const { proxy } = served.server ?? {};
  if (proxy === undefined) throw new Error('there is no proxy');
  const where = await readyAuthority({ world, served, controller }, stepCaSubject, proxy.url);
  const names = Object.keys(FORGERIES).map((_, index) => `held-${index}`);
  for (const name of names) await create(world, wanted(where, name));
  for (const name of names) await untilReady(world, where.namespace, name);
  const { ca } = served;
  const [root] = parseCertificates(ca.root);
  if (root === undefined) throw new Error('step-ca has no root');
  const passphrase = CA_PASSWORD;
  const key = createPrivateKey({ key: readFileSync(`${ca.folder}/secrets/intermediate_ca_key`), passphrase });
  return {
    where,
    proxy,
    controller,
    lie: (forge, heldSerial = '') => proxy.meddle(lying((chain) => forge({ ...chain, root, key, heldSerial }))),
    tellTheTruth: () => proxy.meddle(undefined),
  };
}

function wanted({ namespace }: Place, name: string) {
  return clientCertificate(namespace, name, { duration: '1h', dnsNames: [`${name}.example.com`] });
}

function lying(forge: (chain: { leaf: CertificateView; intermediate: CertificateView }) => readonly unknown[]): Meddle {
  return async ({ path }, pass) => {
    const honest = await pass();
    if (path !== '/1.0/sign' || honest.status !== 201) return honest;
    const answer = JSON.parse(honest.body.toString()) as { certChain: string[] };
    const [leaf, intermediate] = answer.certChain.flatMap((pem) => parseCertificates(pem));
    if (leaf === undefined || intermediate === undefined) throw new Error('step-ca answered with a short chain');
    const certChain = forge({ leaf, intermediate });
    const [crt = null, ca = null] = certChain;
    return { ...honest, body: JSON.stringify({ ...answer, crt, ca, certChain }) };
  };
}

for (const [index, [name, { forge, says, onlyRenewal }]] of Object.entries(FORGERIES).entries()) {
  test(`${name} reaches no Secret`, async () => {
    const { where, controller, lie, tellTheTruth } = await staged();
    const { world, namespace } = where;
    const [held, fresh] = [`held-${index}`, `fresh-${index}`];
    const before = await readSecret(world, namespace, `${held}-tls`);
    lie(forge, before?.leaf.serialNumber);
    const subjects = onlyRenewal ? [held] : [held, fresh];
    await renewAt(world, namespace, held);
    if (!onlyRenewal) await create(world, wanted(where, fresh));
    for (const each of subjects) {
      const failure = await eventually(
        `${each} says why`,
        async () => (await statusOf(world, namespace, each)).lastFailure,
      );
      assert.ok(failure.message.includes(says), `${each}: ${failure.reason}: ${failure.message}`);
      assert.not.match(failure.message, 'PRIVATE');
    }
    assert.equal((await readSecret(world, namespace, `${held}-tls`))?.object.data, before?.object.data);
    assert.is(await readSecret(world, namespace, `${fresh}-tls`), undefined);

    tellTheTruth();
    const after = [untilRevision(world, namespace, `${held}-tls`, 2, 45_000)];
    if (!onlyRenewal) after.push(untilRevision(world, namespace, `${fresh}-tls`, 1, 45_000));
    for (const secret of await Promise.all(after)) await opensslAccepts(secret.object);
    assert.is(await Promise.race([controller.exited, 'alive']), 'alive');
  });
}

test('a shorter life than asked for is taken, and renewed accordingly', async () => {
  const { where, lie, tellTheTruth } = await staged();
  const { world, namespace } = where;
  const end = new Date(Date.now() + 20 * 60_000);
  lie((honest) => [altered(honest, { notAfter: end }), honest.intermediate.pem]);
  await create(world, wanted(where, 'short'));
  const status = await untilReady(world, namespace, 'short');
  tellTheTruth();
  assert.is(Math.floor(Date.parse(status.notAfter ?? '') / 1000), Math.floor(end.getTime() / 1000));
  assert.ok(Date.parse(status.renewalTime ?? '') < end.getTime());
});

test('a chain out of order is put in order', async () => {
  const { where, lie, tellTheTruth } = await staged();
  const { world, namespace } = where;
  lie(({ leaf, intermediate, root }) => [leaf.pem, root.pem, intermediate.pem, leaf.pem]);
  await create(world, wanted(where, 'shuffled'));
  await untilReady(world, namespace, 'shuffled');
  tellTheTruth();
  const secret = await readSecret(world, namespace, 'shuffled-tls');
  assert.equal(
    parseCertificates(secret?.chain ?? '').map(({ subjectText }) => subjectText),
    ['CN=shuffled', 'O=Test, CN=Test Intermediate CA'],
  );
});

test.run();
