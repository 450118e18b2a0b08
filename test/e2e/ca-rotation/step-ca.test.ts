/** Another root or intermediate of step-ca, which signs with it from the moment at which it is started. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, SECRETS } from '../../../src/api/names.ts';
import { makeStepCa } from '../backends/servers/step-ca.ts';
import { serve } from '../backends/step-ca-subject.ts';
import { patchAuthority, renewAt } from '../support/edits.ts';
import { eventually, PATIENCE_MS } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import { AT_ONCE, conditionOf, type MountedSecret, readSecret, statusOf } from '../support/objects.ts';
import { faultsOfHistory, watchSecrets } from '../support/secret-witness.ts';
import { oneWorld } from '../support/world.ts';
import { underTraffic } from './under-traffic.ts';

const worlds = oneWorld();
test.after(worlds.stop);
const controllers = lazily(async () => (await worlds.get()).controller(FLAGS));

const FLAGS = ['--allow-loopback-authorities'];
const MEMBERS = ['server', 'alice', 'bob'];
const SPEC = { duration: '5m', usages: ['digital signature', 'client auth', 'server auth'] };

const fingerprintOf = (pem: string) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');

/** A step-ca of its own, and an authority with clients under traffic. */
async function begin(caRotation: object) {
  const world = await worlds.get();
  const controller = await controllers.get();
  const served = await serve(await makeStepCa());
  const { ca } = served;
  await ca.start();
  const namespace = await world.namespace();
  const stepCA = await served.prepare({ world, namespace });
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { stepCA, caRotation: { ...AT_ONCE, propagation: '1s', ...caRotation } },
  });
  const secrets = await watchSecrets(world, namespace);
  const place = await underTraffic(world, namespace, SPEC);
  const secretOf = async (name: string): Promise<MountedSecret> => {
    const secret = await readSecret(world, namespace, `${name}-tls`);
    if (secret === undefined) throw new Error(`there is no Secret ${name}-tls`);
    return secret;
  };
  return {
    ...place,
    ca,
    secrets,
    controller,
    served,
    secretOf,
    renewAll: async () => {
      for (const name of MEMBERS) await renewAt(world, namespace, name);
    },
    /** Waits until each certificate comes from that intermediate. */
    untilIssuedBy: (issuer: string) =>
      eventually(
        `all certificates come from ${issuer}`,
        async () => {
          const found = await Promise.all(MEMBERS.map(secretOf));
          return found.every(({ leaf }) => leaf.issuer === `CN=${issuer}`);
        },
        2 * PATIENCE_MS,
      ),
    pin: (...rootFingerprints: string[]) =>
      patchAuthority(world, namespace, 'ca', { spec: { stepCA: { rootFingerprints } } }),
    look: () => place.annotate('look', String(Date.now())),
    finish: async () => {
      await place.end();
      for (const name of MEMBERS) assert.equal(faultsOfHistory(secrets.versions(`${name}-tls`)), [], name);
      await served.stop();
    },
  };
}

test('another root that signs at once: its certificates are withheld until all trust it, and the former root leaves', async () => {
  const place = await begin({});
  const { ca } = place;
  await place.until('Active');
  const next = await ca.makeRoot();
  const fingerprint = fingerprintOf(readFileSync(next.root, 'utf8'));
  await place.pin(ca.fingerprint, fingerprint);
  ca.configure((config) => Object.assign(config, next, { root: [next.root, `${ca.folder}/certs/root_ca.crt`] }));
  await ca.start();
  await renewAt(place.world, place.namespace, 'alice');
  await place.until('Active', 'Active');
  await eventually('what was withheld is published', async () => {
    return (await place.secretOf('alice')).leaf.issuer === 'CN=Test Intermediate CA 2';
  });
  assert.is((await place.secretOf('bob')).leaf.issuer, 'CN=Test Intermediate CA');

  ca.configure((config) => Object.assign(config, { root: next.root }));
  await ca.start();
  await place.pin(fingerprint);
  await place.untilIssuedBy('Test Intermediate CA 2');
  await place.until('Retired', 'Active');
  for (const name of MEMBERS)
    await eventually(`${name} trusts the new root alone`, async () => {
      return (await place.secretOf(name)).bundle.match(/BEGIN/g)?.length === 1;
    });
  await place.finish();
});

test('what is withheld outlives the controller, and is published as it is', async () => {
  const place = await begin({ mode: 'Manual' });
  const { ca, world, namespace } = place;
  const next = await ca.makeRoot();
  await place.pin(ca.fingerprint, fingerprintOf(readFileSync(next.root, 'utf8')));
  ca.configure((config) => Object.assign(config, next, { root: [next.root, `${ca.folder}/certs/root_ca.crt`] }));
  await ca.start();
  await place.look();
  await place.until('Active', 'Trusted');
  const before = await place.secretOf('alice');
  await renewAt(world, namespace, 'alice');
  const withheld = await eventually('the certificate is withheld', async () => {
    const secret = await world.client.get(SECRETS, namespace, 'alice-next');
    return secret?.data?.['tls.crt'] ? secret : undefined;
  });
  const leaf = new X509Certificate(Buffer.from(withheld.data?.['tls.crt'] ?? '', 'base64'));
  await eventually('its status says why', async () => {
    const issuing = conditionOf(await statusOf(world, namespace, 'alice'), 'Issuing');
    return /leads to the CA CN=Test Root CA 2 .*is kept in Secret alice-next/.test(issuing?.message ?? '');
  });
  const booked = await place.served.signer?.booked();
  const { controller } = place;
  await controller.kill();
  await world.controller(FLAGS);
  await place.look();
  assert.is((await place.secretOf('alice')).leaf.serialNumber, before.leaf.serialNumber);
  await place.annotate('certwheel.io/advance-ca', '2/Active');
  await eventually('what was withheld is published', async () => {
    return (await place.secretOf('alice')).leaf.serialNumber === leaf.serialNumber;
  });
  await eventually('nothing is withheld', async () => !(await world.client.get(SECRETS, namespace, 'alice-next')));
  assert.is(await place.served.signer?.booked(), booked);
  await place.finish();
});

test('another intermediate below the same root is no other CA generation, and signs at once', async () => {
  const place = await begin({});
  const { ca } = place;
  const next = await ca.makeIntermediate();
  ca.configure((config) => Object.assign(config, next));
  await ca.start();
  await place.renewAll();
  await place.untilIssuedBy('Test Intermediate CA 3');
  await place.until('Active');
  await place.finish();
});

test.run();
