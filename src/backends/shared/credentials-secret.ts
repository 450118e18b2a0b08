import { AuthorityError } from '../../errors.ts';
import type { BackendDeps } from '../backend-deps.ts';

/** A Secret with credentials, in the namespace of the authority. */
export interface CredentialsSecret {
  readonly name: string;
  /** The keys that it must have, with the name of a file for each, as the command of a message shows it. */
  readonly files: Readonly<Record<string, string>>;
}

type Place = Pick<BackendDeps, 'objects'>;

/** The Secret doesn't exist. */
export function noSecret(secret: CredentialsSecret, deps: Place): AuthorityError {
  const { namespace } = deps.objects;
  return new AuthorityError(
    'CredentialsNotFound',
    `there is no Secret ${secret.name} in namespace ${namespace}; make it with: ${create(secret, deps)}`,
  );
}

/** The Secret lacks one of its keys, or the key has no content. */
export function noKey(secret: CredentialsSecret, key: string, deps: Place): AuthorityError {
  return new AuthorityError(
    'CredentialsNotFound',
    `Secret ${secret.name} in namespace ${deps.objects.namespace} has no key ${key}, or it is empty; write it with: ${write(secret, deps)}`,
  );
}

/** What is under the key can't be the credential; `what` ends the sentence that begins with the place. */
export function unusable(secret: CredentialsSecret, key: string, what: string, deps: Place): AuthorityError {
  return new AuthorityError(
    'CredentialsRefused',
    `Secret ${secret.name} in namespace ${deps.objects.namespace}, key ${key}: ${what}; write it with: ${write(secret, deps)}`,
  );
}

function create({ name, files }: CredentialsSecret, { objects: { namespace } }: Place): string {
  const given = Object.entries(files).map(([key, file]) => ` --from-file=${key}=${file}`);
  return `kubectl create secret generic -n ${namespace} ${name}${given.join('')}`;
}

function write(secret: CredentialsSecret, deps: Place): string {
  return `${create(secret, deps)} --dry-run=client -o yaml | kubectl apply -f -`;
}
