import { hash, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import type { CertificateSpec } from '../../api/client-certificate.ts';
import { type StoreOutput, storesOf } from '../../api/outputs.ts';
import type { RawObject } from '../../api/parse.ts';
import { ITERATIONS } from '../../pki/keystores/encryption.ts';
import { passwordProblem } from '../../pki/keystores/password.ts';
import { RecentlyUsed } from '../../recently-used.ts';
import { passwordThreads } from '../../threads.ts';
import { fileOf } from './outputs.ts';

/** The passwords of the key stores that a ClientCertificate asks for. */
export type StorePasswords =
  /** `tag` stands for all of them; `of` is a function, so that no password gets into what is logged. */
  | { readonly tag: string; of(store: StoreOutput): string }
  /** Why one of them can't be used, as the rest of a sentence. */
  | { readonly problem: string };

/** What stands for the passwords; undefined where there are none, or none that can be used. */
export function tagOf(passwords: StorePasswords | undefined): string | undefined {
  return passwords !== undefined && 'tag' in passwords ? passwords.tag : undefined;
}

type ReadSecret = (namespace: string, name: string) => Promise<RawObject | undefined>;

interface Asking {
  readonly namespace: string;
  readonly spec: Pick<CertificateSpec, 'outputs'>;
}

/** The names of the Secrets that hold them. */
export function passwordSecretsOf({ outputs }: Asking['spec']): readonly string[] {
  return [...new Set(storesOf(outputs).map(({ password }) => password.name))];
}

/** Reads the passwords; undefined where the certificate has no key stores. */
export async function readStorePasswords(
  { namespace, spec }: Asking,
  readSecret: ReadSecret,
): Promise<StorePasswords | undefined> {
  const stores = storesOf(spec.outputs);
  if (stores.length === 0) return undefined;
  // Both stores usually have one, which is read once.
  const secrets = new Map<string, RawObject | undefined>();
  for (const name of passwordSecretsOf(spec)) secrets.set(name, await readSecret(namespace, name));
  const found = new Map<string, string>();
  const tags: string[] = [];
  for (const { password: ref } of stores) {
    const secret = secrets.get(ref.name);
    const place = `Secret ${namespace}/${ref.name}, key ${ref.key}`;
    if (secret === undefined)
      return {
        problem: `Secret ${namespace}/${ref.name} does not exist; create it, for example: ${create(namespace, ref)}`,
      };
    const base64 = fileOf(secret.data, ref.key);
    const bytes = base64 === undefined ? undefined : Buffer.from(base64, 'base64');
    const problem = passwordProblem(bytes);
    if (bytes === undefined || problem !== undefined)
      return { problem: `${place}: ${problem}; set another one, for example: ${replace(namespace, ref)}` };
    const password = bytes.toString('latin1');
    found.set(idOf(ref), password);
    tags.push(await stretched(password, `${namespace}/${idOf(ref)}`));
  }
  return { tag: tags.join('.'), of: ({ password }) => found.get(idOf(password)) ?? '' };
}

function create(namespace: string, { name, key }: StoreOutput['password']): string {
  return `openssl rand -hex 24 | tr -d '\\n' | kubectl create secret generic -n ${namespace} ${name} --from-file=${key}=/dev/stdin`;
}

/** Leaves the other keys of the Secret as they are. */
function replace(namespace: string, ref: StoreOutput['password']): string {
  return `${create(namespace, ref)} --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -`;
}

function idOf({ name, key }: StoreOutput['password']): string {
  return `${name}/${key}`;
}

const stretch = promisify(pbkdf2);
const TAG_BYTES = 12;

/** By a hash of password and salt: most certificates of a namespace have one password, and are reconciled often. */
const tags = new RecentlyUsed<string>({ most: 4_000, mostWeight: 4_000 });

/**
 * Stands for a password in an annotation of the Secret that holds the stores. To guess the password from it costs as much as to guess
 * it from a store.
 */
async function stretched(password: string, salt: string): Promise<string> {
  const id = hash('sha256', `${salt}\0${password}`, 'base64');
  const known = tags.get(id);
  if (known !== undefined) return known;
  const bytes = await passwordThreads.run(() => stretch(password, salt, ITERATIONS, TAG_BYTES, 'sha256'));
  const tag = bytes.toString('base64url');
  tags.set(id, tag, 1);
  return tag;
}
