import { test } from 'uvu';
import { vault as definition } from '../../../src/backends/vault.ts';
import { encodePrivateKey } from '../../../src/pki/keys.ts';
import type { Holder } from '../../pki/make.ts';
import { onStop } from '../../teardown.ts';
import { oneWorld } from '../support/world.ts';
import { proxiedStage } from './forging-proxy.ts';
import { makeSigningCa } from './forging-signer.ts';
import { startMeddler } from './intercepting-proxy.ts';
import { startVault, type Vault } from './servers/vault.ts';
import { CONCEALED, type Served } from './subject.ts';
import { asksForCertificate, commandsOf, makeToken, putToken, vaultSpec } from './vault-world.ts';
import { wrongAnswers } from './wrong-answers.ts';

// vault with a proxy before Vault that answers wrongly; the CA's key is the test's too, imported into a mount of its own.

const MOUNT = 'known';
const worlds = oneWorld();

interface Data {
  readonly certificate: string;
  readonly ca_chain: readonly string[];
}

/** The role of the page, on a mount whose issuer is the intermediate. */
async function setUp(vault: Vault, top: Holder, intermediate: Holder): Promise<string> {
  await vault.sh(commandsOf('The CA and the role'));
  await vault.sh(`vault secrets enable -path=${MOUNT} pki && vault secrets tune -max-lease-ttl=8760h ${MOUNT}`);
  const key = encodePrivateKey(intermediate.key, 'PKCS8');
  const bundle = [key, intermediate.certificate.pem, top.certificate.pem].join('');
  await vault.api('POST', `${MOUNT}/config/ca`, { pem_bundle: bundle });
  const { body } = await vault.api('GET', 'pki/roles/client');
  await vault.api('POST', `${MOUNT}/roles/client`, body.data);
  const policy = `path "${MOUNT}/issuer/+/sign/client" { capabilities = ["update"] }`;
  await vault.api('PUT', `sys/policies/acl/${MOUNT}`, { policy });
  return makeToken(vault, MOUNT);
}

async function serve(vault: Vault, token: string): Promise<Served> {
  const proxy = await startMeddler({ url: vault.url, ca: vault.ca }, vault.tls);
  return {
    prepare: async (where, url) => {
      await putToken(where, token);
      return vaultSpec(vault, { mount: MOUNT, server: url });
    },
    server: {
      url: vault.url,
      proxy,
      asksForCertificate,
      rotateCredentials: async () => {},
    },
    stop: async () => {
      await proxy.stop();
      await vault.stop();
    },
  };
}

wrongAnswers({
  definition,
  taken: { 'a chain without its middle': 'the mount lists its issuers, and the middle is one of them' },
  says: {
    // The proof would refuse it as well, but without a word on what to do about it.
    'a usage more': 'the role client adds the usages server auth',
    'one for servers': 'the role client adds the usages server auth',
    'a CA': 'the role client adds the usages cert sign',
    // Where the subject is Vault's, nobody may be made one of Kubernetes' own all the same.
    'an organization more': 'the subject holds "system:masters", which was not requested',
    'an administrator of kubeadm': 'the subject holds "kubeadm:cluster-admins", which was not requested',
    'ten megabytes': CONCEALED.says,
    nothing: 'Vault answered without a certificate',
    'something else than text': 'Vault answered without a certificate',
  },
  stage: async () => {
    const { top, intermediate } = await makeSigningCa();
    const [world, vault] = await Promise.all([worlds.get(), startVault()]);
    onStop(() => vault.stop());
    const served = await serve(vault, await setUp(vault, top, intermediate));
    const signing = { root: top.certificate, key: intermediate.key };
    return proxiedStage(world, definition.type, served, signing, {
      unwrap: ({ data: { certificate, ca_chain } }: { readonly data: Data }) => [certificate, ...ca_chain],
      // And whatever else stands in an answer is as long as can be.
      wrap: ({ data }: { readonly data: Data }, [certificate = null, ...ca_chain]) => ({
        data: { ...data, certificate, ca_chain, issuing_ca: null, serial_number: '00:'.repeat(10_000) },
        warnings: Array.from({ length: 2_000 }, () => 'beware of me '.repeat(3)),
      }),
    });
  },
});
test.after(worlds.stop);

test.run();
