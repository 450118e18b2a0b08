import { onStop } from '../../teardown.ts';
import { commandText, fileText } from '../support/page.ts';
import type { DirectSpec } from './acme-direct.ts';
import { makeStepCa, type StepCa } from './servers/step-ca.ts';
import { startVault, type Vault } from './servers/vault.ts';
import { base64 } from './vault-world.ts';

/** The commands below a heading of docs/authorities/acme.md. */
const commandsOf = (heading: string) => commandText('docs/authorities/acme.md', heading);

/** The template of certificates that the page gives to its provisioner. */
const pageTemplate = () => fileText('docs/authorities/acme.md', 'step-ca', 'acme.tpl');

/** Where a server looks for the proofs. */
export interface Validation {
  /** `host:port` of the name server. */
  readonly dns: string;
  readonly httpPort?: number;
}

/** A step-ca with the ACME provisioner `acme`, whose certificates are for clients, and with a CRL. It doesn't run yet. */
export async function makeAcmeStepCa({ dns, httpPort }: Validation, change: object = {}): Promise<StepCa> {
  const http = httpPort === undefined ? [] : ['--acme-http-port', String(httpPort)];
  const ca = await makeStepCa(undefined, ['--insecure', '--resolver', dns, ...http]);
  onStop(() => ca.stop());
  ca.configure((config) => {
    const options = { x509: { template: pageTemplate() } };
    config.authority.provisioners.push({ type: 'ACME', name: 'acme', options, ...change } as never);
    config.crl = { enabled: true, generateOnRevoke: true, cacheDuration: '24h' };
  });
  return ca;
}

export function stepCaSpec(ca: StepCa, url = ca.url): DirectSpec {
  return {
    server: `${url}/acme/acme/directory`,
    caBundle: base64(ca.root),
    trustBundle: { inline: ca.root, partialChain: false },
  };
}

/** A Vault whose mount `pki` speaks ACME with the role `client`. */
export async function startAcmeVault({ dns }: Validation): Promise<Vault> {
  const vault = await startVault();
  onStop(() => vault.stop());
  await vault.sh(commandsOf('Vault'));
  await vault.sh(
    `vault write pki/config/acme enabled=true allowed_roles=client default_directory_policy=role:client allow_role_ext_key_usage=true dns_resolver=${dns}`,
  );
  return vault;
}

export async function vaultAcmeSpec(vault: Vault): Promise<DirectSpec> {
  const { body } = await vault.api('GET', 'pki/cert/ca');
  return {
    server: `${vault.url}/v1/pki/acme/directory`,
    caBundle: base64(vault.ca),
    trustBundle: { inline: String(body.data?.certificate), partialChain: false },
  };
}
