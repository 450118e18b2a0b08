/** Verifiers are shown a certificate of another issuer of Vault before that issuer signs for a workload. */
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { go } from '../../interop/servers/go.ts';
import { base64, commandsOf, oneVaultWorld, vaultPlace } from '../backends/vault-world.ts';
import { FLAGS, putServerCa, startVerifier, untilVerdict, verdictsIn, verifierAt } from '../probes/verifier-world.ts';
import { patchAuthority, patchSecret } from '../support/edits.ts';
import { eventually, PATIENCE_MS, QUIET_MS } from '../support/eventually.ts';
import { AT_ONCE, authorityStatusOf, clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';

const worlds = oneVaultWorld('--trust-propagation', '1s', ...FLAGS);
test.after(worlds.stop);

/** A client and a verifier of an authority at a mount of its own, which the page's commands have made with these changes. */
async function begin(mount: string, change: (commands: string) => string = (commands) => commands) {
  const { world, vault, tokenFor, namespace, spec } = await vaultPlace(worlds);
  const on = (commands: string) =>
    vault.sh(
      commands
        .replaceAll('pki/', `${mount}/`)
        .replaceAll('-path=pki', `-path=${mount}`)
        .replaceAll('ttl=87600h pki', `ttl=87600h ${mount}`)
        .replaceAll('write certwheel', `write ${mount}`),
    );
  await on(change(commandsOf('The CA and the role')));
  await patchSecret(world, namespace, 'vault-token', { data: { token: base64(await tokenFor(mount)) } });
  await world.client.create(CERTIFICATE_AUTHORITIES, {
    metadata: { namespace, name: 'ca' },
    spec: { vault: spec({ mount }), caRotation: AT_ONCE },
  });
  await create(world, clientCertificate(namespace, 'client', { duration: '1h' }));
  await untilReady(world, namespace, 'client');
  const secret = () => readSecret(world, namespace, 'client-tls');
  const bundle = async () => (await secret())?.bundle ?? '';
  const server = await startVerifier(go, await bundle());
  if (typeof server === 'string') throw new Error(server);
  await putServerCa(world, namespace);
  await patchAuthority(world, namespace, 'ca', { spec: { trust: { verifiers: [verifierAt('go', server.port)] } } });
  return {
    namespace,
    world,
    replace: async () => {
      await on(commandsOf('Replacing the CA'));
      await patchAuthority(world, namespace, 'ca', { metadata: { annotations: { look: String(Date.now()) } } });
    },
    /** What an operator does by mounting `ca.crt` into the server. */
    load: async () => server.trust(await bundle()),
    status: () => authorityStatusOf(world, namespace, 'ca'),
    issuer: async () => (await secret())?.leaf.issuer,
    signs: (version: number) =>
      eventually(
        `generation ${version} signs`,
        async () => (await authorityStatusOf(world, namespace, 'ca')).activeGeneration === version,
        PATIENCE_MS,
      ),
  };
}

test('another issuer of Vault signs for no workload before a verifier has accepted a certificate of that issuer', async () => {
  const place = await begin('shown');
  await untilVerdict(place.world, place.namespace, 'go', 1, 'Trusts');
  await place.replace();
  const behind = await untilVerdict(place.world, place.namespace, 'go', 2, 'DoesNotTrust');
  assert.is(verdictsIn(behind)[1], 'Trusts');
  await sleep(QUIET_MS);
  assert.is((await place.status()).activeGeneration, 1);
  await place.load();
  await untilVerdict(place.world, place.namespace, 'go', 2, 'Trusts');
  await place.signs(2);
  await eventually('the client has a certificate of it', async () => (await place.issuer()) === 'CN=Clients 2027');
});

test('where the role denies the name of a probe, status says so, and the CA rotation goes on without that proof', async () => {
  const place = await begin('denied', (commands) =>
    commands.replace('allow_any_name=true enforce_hostnames=false', `allowed_domains=client allow_bare_domains=true`),
  );
  const verifierOf = async () => (await place.status()).verifiers?.find(({ name }) => name === 'go');
  const found = await eventually('status says why', async () => {
    const verifier = await verifierOf();
    return verifier?.message?.includes('no certificate can be shown') && verifier;
  });
  assert.match(found.message ?? '', /certwheel-probe not allowed by this role/);
  assert.is(found.generations, undefined);
  await place.replace();
  await place.signs(2);
});

test.run();
