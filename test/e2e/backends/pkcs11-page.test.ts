/** The key ceremony of docs/authorities/pkcs11.md, command by command, and the replacement of the CA. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CLUSTER_CERTIFICATE_AUTHORITIES } from '../../../src/api/names.ts';
import { patch } from '../support/edits.ts';
import { clientCertificate, create, readSecret, untilReady } from '../support/objects.ts';
import { commandText } from '../support/page.ts';
import { opensslAccepts } from '../support/secret-proof.ts';
import { eventually, oneWorld } from '../support/world.ts';
import { untilClusterAuthority } from './place.ts';
import { startSoftHsm } from './servers/pkcs11.ts';

const PAGE = 'docs/authorities/pkcs11.md';
const EXAMPLE = join(import.meta.dirname, '../../../examples/authorities/pkcs11/authority.yaml');

// The page has a ClusterCertificateAuthority with a name.
const worlds = oneWorld({ own: true });
test.after(worlds.stop);

test('the commands of the ceremony make a CA that issues, and the next key of the token takes over', async () => {
  const world = await worlds.get();
  const hsm = await startSoftHsm('');
  const [system, clients] = [await world.namespace(), await world.namespace()];
  await world.controller([...hsm.flags.slice(0, 4), '--controller-namespace', system, '--trust-propagation', '1s']);
  const inPlace = (text: string) => text.replaceAll('certwheel-system', system).replaceAll('payments', clients);
  writeFileSync(join(hsm.folder, 'authority.yaml'), inPlace(readFileSync(EXAMPLE, 'utf8')));
  const { kubeconfigPath, kubectlPath } = world.cluster;
  const follow = (heading: string, more: Readonly<Record<string, string>> = {}) =>
    hsm.sh(`export PATH="$PATH:${dirname(kubectlPath)}"\n${inPlace(commandText(PAGE, heading))}`, {
      KUBECONFIG: kubeconfigPath,
      ...more,
    });

  const printed = await follow('Key ceremony');
  assert.match(printed, /Private Key Object; EC[\s\S]*never extractable, local/);
  assert.match(printed, 'ca-v1.crt: OK');
  await untilClusterAuthority(world, 'hsm');
  const authorityRef = { kind: 'ClusterCertificateAuthority', name: 'hsm' };
  await create(world, clientCertificate(clients, 'alice', { authorityRef }));
  await untilReady(world, clients, 'alice');
  const secret = await readSecret(world, clients, 'alice-tls');
  await opensslAccepts(secret?.object ?? {});
  assert.is(secret?.leaf.issuer, 'O=Shop\nCN=Shop CA v1');

  await patch(world, CLUSTER_CERTIFICATE_AUTHORITIES, undefined, 'hsm', {
    spec: { caRotation: { soak: '0s', retireAfter: '0s' } },
  });
  // The shell of the ceremony has it still.
  await follow('Replace the CA', { PIN: readFileSync(join(hsm.folder, 'pin'), 'utf8') });
  const renewed = await eventually(
    'the next key signs',
    async () => {
      const found = await readSecret(world, clients, 'alice-tls');
      return found?.leaf.issuer === 'O=Shop\nCN=Shop CA v2' && found;
    },
    90_000,
  );
  await opensslAccepts(renewed.object);
});

test.run();
