import { vault as definition } from '../../../src/backends/vault.ts';
import { createIssuer } from '../../cluster/certificates.ts';
import { onStop } from '../../teardown.ts';
import { startMeddler } from './intercepting-proxy.ts';
import { startVault, type Vault, type VaultAnswer } from './servers/vault.ts';
import {
  ADDRESS_CHECKS,
  CONCEALED,
  type Place,
  type RevocationProof,
  type Served,
  type Spec,
  type Subject,
} from './subject.ts';
import { direct } from './vault-direct.ts';
import { asksForCertificate, base64, commandsOf, makeToken, putToken, TOKEN_SECRET, vaultSpec } from './vault-world.ts';

const ROLE = 'conformance';
const PATHS = [ROLE, 'absent'].map((role) => `pki/issuer/+/sign/${role}`);
const POLICY = [...PATHS, `nowhere/issuer/+/sign/${ROLE}`, 'pki/revoke']
  .map((path) => `path "${path}" { capabilities = ["update"] }`)
  .join('\n');

export const vaultSubject: Subject = {
  type: 'vault',
  capabilities: definition.capabilities,
  exempt: { 'requests that are answered later': 'Vault answers at once' },
  // The last is more than the role allows.
  lives: ['1m', '1h', '24h', '200h'],
  refusedLives: [],
  checks: [
    ...ADDRESS_CHECKS,
    {
      step: 'the server is of another CA of the same name',
      ...CONCEALED,
      spoil: (good) => ({
        ...good,
        caBundle: base64(createIssuer('CA of the TLS certificate of Vault').certificatePem),
      }),
    },
    {
      step: 'the server is of no CA that the system knows',
      ...CONCEALED,
      spoil: ({ caBundle: _, ...good }) => good,
    },
    {
      step: 'there is no such mount',
      reason: 'AuthorityMisconfigured',
      says: 'there is no PKI secrets engine at nowhere',
      spoil: (good) => ({ ...good, mount: 'nowhere' }),
    },
    {
      step: 'there is no such role',
      reason: 'AuthorityMisconfigured',
      says: 'the mount pki has no role absent',
      spoil: (good) => ({ ...good, role: 'absent' }),
    },
    {
      step: 'there is no such issuer',
      reason: 'AuthorityMisconfigured',
      says: 'the mount pki has no issuer nobody',
      spoil: (good) => ({ ...good, issuerRef: 'nobody' }),
    },
    {
      step: 'the policy does not allow the role',
      reason: 'CredentialsRefused',
      says: 'signing with the role client of pki (its policy needs update on pki/issuer/+/sign/client) was answered 403',
      spoil: (good) => ({ ...good, role: 'client' }),
    },
    {
      step: 'there is no Secret',
      reason: 'CredentialsNotFound',
      says: 'there is no Secret gone in namespace',
      spoil: (good) => ({ ...good, auth: { tokenSecretRef: { name: 'gone' } } }),
    },
    {
      step: 'the Secret lacks the key',
      reason: 'CredentialsNotFound',
      says: 'has no key other',
      spoil: (good) => ({ ...good, auth: { tokenSecretRef: { name: TOKEN_SECRET, key: 'other' } } }),
    },
    {
      step: 'there is no auth method at the path of the login',
      reason: 'CredentialsRefused',
      says: 'with the role certwheel at auth/nowhere was answered 403',
      spoil: (good) => {
        const secretRef = { name: TOKEN_SECRET, key: 'token' };
        return { ...good, auth: { jwt: { role: 'certwheel', path: 'nowhere', secretRef } } };
      },
    },
    {
      step: 'the Secret of the login certificate holds none',
      reason: 'CredentialsNotFound',
      says: `/${TOKEN_SECRET} has no key tls.crt`,
      spoil: (good) => ({ ...good, auth: { cert: { secretRef: { name: TOKEN_SECRET } } } }),
    },
    {
      step: 'the Secret of the access key holds none',
      reason: 'CredentialsNotFound',
      says: `Secret ${TOKEN_SECRET} in namespace`,
      spoil: (good) => {
        const credentials = { secretRef: { name: TOKEN_SECRET } };
        return { ...good, auth: { aws: { role: 'certwheel', credentials } } };
      },
    },
    {
      step: "the controller's own credentials are asked for in a namespace",
      reason: 'AuthorityMisconfigured',
      says: 'vault.auth.aws.credentials.ambient is for a ClusterCertificateAuthority alone',
      spoil: (good) => ({ ...good, auth: { aws: { role: 'certwheel', credentials: { ambient: {} } } } }),
    },
    {
      step: 'the token is wrong',
      reason: 'CredentialsRefused',
      says: `signing with the role ${ROLE} of pki was answered 403`,
      spoil: async (good, where) => {
        await putToken(where, 'hvs.wrong');
        return good;
      },
    },
  ],
  start: () => serveOn(startVault),
};

/** The subject's server, on what `start` starts. */
export async function serveOn(start: () => Promise<Vault>): Promise<Served> {
  const vault = await start();
  onStop(() => vault.stop());
  return serve(vault);
}

async function serve(vault: Vault): Promise<Served> {
  await vault.sh(commandsOf('The CA and the role'));
  const { body } = await vault.api('GET', 'pki/roles/client');
  // Stored, so that they can be counted.
  await vault.api('POST', `pki/roles/${ROLE}`, { ...body.data, allowed_uri_sans: ['*'], no_store: false });
  await vault.api('PUT', `sys/policies/acl/${ROLE}`, { policy: POLICY });
  const proxy = await startMeddler({ url: vault.url, ca: vault.ca }, vault.tls);
  const tokens = new Map<string, string>();
  const giveToken = async (where: Place) => {
    const token = await makeToken(vault, ROLE);
    tokens.set(where.namespace, token);
    await putToken(where, token);
  };
  return {
    prepare: async (where, url = vault.url): Promise<Spec> => {
      await giveToken(where);
      return { ...vaultSpec(vault), server: url, role: ROLE };
    },
    signer: {
      halt: () => vault.halt(),
      start: () => vault.start(),
      booked: async () => keysOf(await vault.api('LIST', 'pki/certs')).length,
    },
    server: {
      url: vault.url,
      proxy,
      asksForCertificate,
      rotateCredentials: async (where) => {
        await vault.api('POST', 'auth/token/revoke', { token: tokens.get(where.namespace) });
        await giveToken(where);
      },
    },
    revocation: await revocationOf(vault),
    stop: async () => {
      await proxy.stop();
      await vault.stop();
    },
  };
}

function keysOf({ body }: VaultAnswer): readonly unknown[] {
  const { keys = [] } = body.data ?? {};
  return keys as readonly unknown[];
}

async function revocationOf(vault: Vault): Promise<RevocationProof> {
  const secrets = { [TOKEN_SECRET]: { token: await makeToken(vault, ROLE) } };
  return {
    backend: () => direct(vaultSpec(vault, { role: ROLE }), secrets).backend,
    saysOf: async (serialNumber) => {
      const { body } = await vault.api('GET', `pki/cert/${serialNumber.match(/../g)?.join(':')}`);
      const revokedAt = Number(body.data?.revocation_time);
      return revokedAt > 0 ? `revoked at ${revokedAt}` : undefined;
    },
    // It keeps no reason.
    superseded: /revoked at/,
  };
}
