/** Another issuer of a Vault mount: it signs nothing before it is trusted, whatever the default issuer of the mount is. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES, ROLLBACK_CA_ANNOTATION } from '../../../src/api/names.ts';
import { base64, commandsOf, oneVaultWorld, vaultPlace } from '../backends/vault-world.ts';
import { patchSecret, renewAt, untilRevision } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { AT_ONCE, authorityStatusOf, conditionOf, readSecret } from '../support/objects.ts';
import { faultsOfHistory, watchSecrets } from '../support/secret-witness.ts';
import { underTraffic } from './under-traffic.ts';

const worlds = oneVaultWorld();
test.after(worlds.stop);

const USAGES = ['digital signature', 'client auth', 'server auth'];
const SOON = { ...AT_ONCE, propagation: '1s' };

/** An authority at a mount of its own, that the commands of the page have made, with clients under traffic. */
async function begin(mount: string, caRotation: object) {
  const { world, vault, tokenFor, namespace, spec } = await vaultPlace(worlds);
  const on = (commands: string) =>
    vault.sh(
      commands
        .replaceAll('pki/', `${mount}/`)
        .replaceAll('-path=pki', `-path=${mount}`)
        .replaceAll('ttl=87600h pki', `ttl=87600h ${mount}`)
        .replaceAll('write certwheel', `write ${mount}`)
        .replaceAll('server_flag=false', 'server_flag=true'),
    );
  await on(commandsOf('The CA and the role'));
  await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor(mount)) } });
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { vault: spec({ mount }), caRotation },
  });
  const secrets = await watchSecrets(world, namespace);
  const place = await underTraffic(world, namespace, { usages: USAGES });
  return {
    ...place,
    secrets,
    on,
    replace: () => on(commandsOf('Replacing the CA')),
    /** What happens by itself every 5 minutes. */
    look: () => place.annotate('look', String(Date.now())),
    issuerOf: async (name: string) => (await readSecret(world, namespace, `${name}-tls`))?.leaf.issuer,
  };
}

test('another default issuer of the mount: both are trusted before it signs, and the former one leaves', async () => {
  const place = await begin('swapped', SOON);
  await place.until('Active');
  await place.replace();
  await place.look();
  await place.until('Retired', 'Active');
  assert.is(await place.issuerOf('alice'), 'CN=Clients 2027');
  await eventually('its Secret trusts the new CA alone', async () => {
    const alice = await readSecret(place.world, place.namespace, 'alice-tls');
    return alice?.bundle.match(/BEGIN/g)?.length === 1;
  });
  await place.end();
  assert.equal(faultsOfHistory(place.secrets.versions('alice-tls')), []);
});

test('a renewal before it is trusted is signed by the former issuer', async () => {
  const place = await begin('early', { ...SOON, mode: 'Manual' });
  const { world, namespace } = place;
  await place.replace();
  await place.look();
  await place.until('Active', 'Trusted');
  const before = Number(
    (await readSecret(world, namespace, 'bob-tls'))?.object.metadata?.annotations?.['certwheel.io/revision'],
  );
  await renewAt(world, namespace, 'bob');
  await untilRevision(world, namespace, 'bob-tls', before + 1);
  assert.is(await place.issuerOf('bob'), 'CN=Clients 2026');
  await place.annotate('certwheel.io/advance-ca', '2/Active');
  await place.until('Retiring', 'Active');
  await place.annotate(ROLLBACK_CA_ANNOTATION, '2');
  await place.configure({ mode: 'Automatic' });
  await place.until('Active', 'Retired');
  assert.is(await place.issuerOf('bob'), 'CN=Clients 2026');
  await place.end();
});

test('an issuer that Vault does not sign with becomes nothing but a message', async () => {
  const place = await begin('refused', SOON);
  const { world, namespace } = place;
  await place.on(
    'vault write pki/root/rotate/internal common_name=useless issuer_name=useless key_type=ec ttl=87600h && vault write pki/root/replace default=useless && vault write pki/issuer/useless usage=read-only',
  );
  await place.look();
  await eventually('the authority says that Vault does not sign with it', async () => {
    const stalled = conditionOf(await authorityStatusOf(world, namespace, 'ca'), 'Stalled');
    return stalled?.message.includes("can't sign with the issuer");
  });
  await place.until('Active', 'Pending');
  await place.end();
});

test.run();
