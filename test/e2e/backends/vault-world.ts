import { dirname } from 'node:path';
import { SECRETS } from '../../../src/api/names.ts';
import { onStop } from '../../teardown.ts';
import type { ControllerProcess } from '../support/controller-process.ts';
import { lazily } from '../support/lazily.ts';
import { commandText } from '../support/page.ts';
import { oneWorld, type World } from '../support/world.ts';
import type { Exchange } from './intercepting-proxy.ts';
import { place } from './place.ts';
import { startVault, type Vault } from './servers/vault.ts';
import type { Place } from './subject.ts';

/** The commands below a heading of docs/authorities/vault.md. */
export const commandsOf = (heading: string) => commandText('docs/authorities/vault.md', heading);

export const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A Vault that was set up by the very commands of docs/authorities/vault.md, and a cluster beside it. */
export interface VaultWorld {
  readonly world: World;
  readonly vault: Vault;
  readonly controller: ControllerProcess;
  /** A periodic token with that policy; `certwheel` is the one of the page. */
  tokenFor(policy: string): Promise<string>;
  /** A new namespace with a token in its Secret `vault-token`. */
  namespaceWithToken(): Promise<string>;
  /** Runs commands of the page with vault and kubectl, in a namespace of the test. */
  follow(heading: string, namespace: string, env?: Readonly<Record<string, string>>): Promise<string>;
}

/** With more flags of the controller. */
export function oneVaultWorld(...flags: readonly string[]) {
  return vaultWorldOf(() => startVault(), flags);
}

/** The same with another server. */
export function vaultWorldOf(start: () => Promise<Vault>, flags: readonly string[] = []) {
  const world = oneWorld();
  const started = lazily(async () => {
    const vault = await start();
    onStop(() => vault.stop());
    return setUp(await world.get(), vault, flags);
  });
  return { get: started.get, stop: world.stop };
}

async function setUp(world: World, vault: Vault, flags: readonly string[]): Promise<VaultWorld> {
  const { cluster } = world;
  await vault.sh(commandsOf('The CA and the role'));
  const controller = await world.controller(['--allow-loopback-authorities', ...flags]);
  const PATH = [dirname(cluster.kubectlPath), process.env.PATH].join(':');
  return {
    world,
    vault,
    controller,
    tokenFor: (policy) => makeToken(vault, policy),
    namespaceWithToken: async () => {
      const where = await place(world);
      await putToken(where, await makeToken(vault, 'certwheel'));
      return where.namespace;
    },
    follow: async (heading, namespace, env = {}) => {
      const commands = commandsOf(heading).replaceAll('payments', namespace);
      // vault.sh puts the vault CLI in front of whatever PATH there is.
      return vault.sh(`export PATH="$PATH:${PATH}"\n${commands}`, { KUBECONFIG: cluster.kubeconfigPath, ...env });
    },
  };
}

export const TOKEN_SECRET = 'vault-token';

/** A periodic token with that policy. */
export async function makeToken(vault: Vault, policy: string): Promise<string> {
  const { body } = await vault.api('POST', 'auth/token/create-orphan', { policies: [policy], period: '768h' });
  return body.auth?.client_token ?? '';
}

/** Puts a token into the Secret that `vaultSpec` names. */
export async function putToken({ world, namespace }: Place, token: string): Promise<void> {
  // With the newline that editors leave behind.
  const data = { token: base64(`${token}\n`) };
  await world.client.apply(SECRETS, { metadata: { namespace, name: TOKEN_SECRET }, type: 'Opaque', data });
}

/** Whether it is a certificate that Vault is asked for: the look at whether it would sign one has no request in it. */
export function asksForCertificate({ path, body }: Exchange): boolean {
  return path.includes('/sign/') && body.includes('BEGIN CERTIFICATE REQUEST');
}

/** `spec.vault` for that Vault, logged in by what stands in the Secret `vault-token`, unless told otherwise. */
export function vaultSpec({ url, ca, namespace }: Vault, spec: Readonly<Record<string, unknown>> = {}) {
  return {
    server: url,
    caBundle: base64(ca),
    ...(namespace === undefined ? {} : { namespace }),
    role: 'client',
    auth: { tokenSecretRef: { name: TOKEN_SECRET, key: 'token' } },
    ...spec,
  };
}

/** A namespace with a token of Vault in its Secret, and the specs of authorities that log in with it unless told. */
export async function vaultPlace(worlds: { get(): Promise<VaultWorld> }) {
  const shared = await worlds.get();
  const namespace = await shared.namespaceWithToken();
  return {
    ...shared,
    namespace,
    spec: (more: Readonly<Record<string, unknown>> = {}) => vaultSpec(shared.vault, more),
  };
}
