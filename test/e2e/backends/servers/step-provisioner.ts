import { generateKeyPairSync, type JsonWebKey, randomUUID } from 'node:crypto';
import { jsonOfJwe, STEP_ROUNDS, sealWithPassword } from '../../../unit/sealed-jwe.ts';
import type { StepCa } from './step-ca.ts';

// JWK provisioners as `step crypto jwk create` and `step ca provisioner add` make them, without the step CLI.

/** Kinds of keys that a JWK provisioner may have, by the algorithm of their tokens. */
const PAIRS = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const;
export type TokenAlgorithm = keyof typeof PAIRS;

interface ProvisionerKey {
  readonly publicJwk: JsonWebKey;
  /** A compact JWE. */
  readonly encryptedKey: string;
}

export function makeProvisionerKey(password: string, alg: TokenAlgorithm = 'ES256'): ProvisionerKey {
  const { privateKey, publicKey } = PAIRS[alg]();
  // step writes the thumbprint as kid, which Certwheel could compute; any other kid has to be read from the JWK.
  const members = { use: 'sig', alg, kid: randomUUID() };
  const privateJwk = JSON.stringify({ ...members, ...privateKey.export({ format: 'jwk' }) });
  return {
    publicJwk: { ...members, ...publicKey.export({ format: 'jwk' }) },
    encryptedKey: sealWithPassword(privateJwk, password, { p2c: STEP_ROUNDS }),
  };
}

interface ProvisionerWish {
  readonly name: string;
  /** As a file holds it; step drops the newline at its end. */
  readonly password: string;
  readonly alg?: TokenAlgorithm;
  readonly template?: string;
  /** As with `--create`: step-ca has the encrypted key and gives it to every client. */
  readonly published?: boolean;
}

/** Adds a provisioner to ca.json, in place of one with the same name; answers its encrypted key. Takes a restart. */
export function addProvisioner(ca: StepCa, { name, password, alg, template, published }: ProvisionerWish): string {
  const { publicJwk, encryptedKey } = makeProvisionerKey(password.trimEnd(), alg);
  putProvisioner(ca, { type: 'JWK', name, key: publicJwk, ...(published && { encryptedKey }) }, template);
  return jsonOfJwe(encryptedKey);
}

/** The same of type X5C, with these roots (PEM). */
export function addX5cProvisioner(ca: StepCa, name: string, roots: string, template?: string): void {
  putProvisioner(ca, { type: 'X5C', name, roots: Buffer.from(roots).toString('base64') }, template);
}

/** The same of type K8sSA, with these public keys (PEM). The step CLI writes its type as here. */
export function addK8sSAProvisioner(ca: StepCa, name: string, keys: string, template?: string): void {
  putProvisioner(ca, { type: 'K8SSA', name, publicKeys: Buffer.from(keys).toString('base64') }, template);
}

interface Given {
  readonly type: string;
  readonly name: string;
  /** What each type has besides. */
  readonly [member: string]: unknown;
}

function putProvisioner(ca: StepCa, given: Given, template?: string): void {
  const entry = {
    ...given,
    claims: {
      enableSSHCA: true,
      disableRenewal: false,
      allowRenewalAfterExpiry: false,
      disableSmallstepExtensions: false,
    },
    options: { x509: template === undefined ? {} : { template }, ssh: {} },
  };
  ca.configure(({ authority }) => {
    authority.provisioners = [...authority.provisioners.filter(({ name }) => name !== given.name), entry];
  });
}
