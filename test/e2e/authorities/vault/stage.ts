import { dirname } from 'node:path';
import { CERTIFICATE_AUTHORITIES } from '../../../../src/api/names.ts';
import type { ControllerProcess } from '../../support/controller-process.ts';
import { createSecret } from '../../support/edits.ts';
import { eventually } from '../../support/eventually.ts';
import { lazily } from '../../support/lazily.ts';
import { authorityStatusOf, conditionOf } from '../../support/objects.ts';
import { commandText } from '../../support/page.ts';
import { oneWorld, type World } from '../../support/world.ts';
import { startVault, type Vault } from '../servers/vault.ts';

/** The commands below a heading of docs/authorities/vault.md. */
export const commandsOf = (heading: string) => commandText('docs/authorities/vault.md', heading);

export const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A Vault that was set up by the very commands of docs/authorities/vault.md, and a cluster beside it. */
export interface Stage {
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

export function oneStage() {
  const world = oneWorld();
  return lazily(async () => {
    const vault = await startVault();
    try {
      const stage = await setUp(await world.get(), vault);
      return { ...stage, stop: () => end(world.stop, vault) };
    } catch (error) {
      await end(world.stop, vault);
      throw error;
    }
  });
}

async function end(stopWorld: () => Promise<void>, vault: Vault): Promise<void> {
  await stopWorld();
  await vault.stop();
}

async function setUp(world: World, vault: Vault): Promise<Stage> {
  const { cluster } = world;
  await vault.sh(commandsOf('The CA and the role'));
  const controller = await world.controller(['--allow-loopback-authorities']);
  const tokenFor = async (policy: string) => {
    const { body } = await vault.api('POST', 'auth/token/create-orphan', { policies: [policy], period: '768h' });
    return body.auth?.client_token ?? '';
  };
  const PATH = [dirname(cluster.kubectlPath), process.env.PATH].join(':');
  return {
    world,
    vault,
    controller,
    tokenFor,
    namespaceWithToken: async () => {
      const namespace = await world.namespace();
      // With the newline that editors leave behind.
      const token = base64(`${await tokenFor('certwheel')}\n`);
      await createSecret(world, namespace, 'vault-token', { data: { token } });
      return namespace;
    },
    follow: async (heading, namespace, env = {}) => {
      const commands = commandsOf(heading).replaceAll('payments', namespace);
      // vault.sh puts the vault CLI in front of whatever PATH there is.
      return vault.sh(`export PATH="$PATH:${PATH}"\n${commands}`, { KUBECONFIG: cluster.kubeconfigPath, ...env });
    },
  };
}

/** `spec.vault` for that Vault, logged in by what stands in the Secret `vault-token`, unless told otherwise. */
export function vaultSpec({ url, ca }: Vault, spec: Readonly<Record<string, unknown>> = {}) {
  return {
    server: url,
    caBundle: Buffer.from(ca).toString('base64'),
    role: 'client',
    auth: { tokenSecretRef: { name: 'vault-token', key: 'token' } },
    ...spec,
  };
}

export function createVaultAuthority(
  { client }: World,
  namespace: string,
  vault: Readonly<Record<string, unknown>>,
  name = 'ca',
) {
  return client.create(CERTIFICATE_AUTHORITIES, { metadata: { namespace, name }, spec: { vault } });
}

/** Waits until the authority says that of itself; answers the message. */
export async function untilAuthority(
  world: World,
  namespace: string,
  wanted: { readonly status: string; readonly reason?: string; readonly says?: string },
  { name = 'ca', withinMs }: { readonly name?: string; readonly withinMs?: number } = {},
): Promise<string> {
  let last = 'nothing';
  const matches = async () => {
    const condition = conditionOf(await authorityStatusOf(world, namespace, name), 'Ready');
    if (condition === undefined) return undefined;
    const { status, reason, message } = condition;
    last = `Ready=${status}, ${reason}: ${message}`;
    if (status !== wanted.status || (wanted.reason !== undefined && reason !== wanted.reason)) return undefined;
    return wanted.says === undefined || message.includes(wanted.says) ? message : undefined;
  };
  try {
    return await eventually(`authority ${name} is ${JSON.stringify(wanted)}`, matches, withinMs);
  } catch (error) {
    throw new Error(`${(error as Error).message}; it is ${last}`, { cause: error });
  }
}
