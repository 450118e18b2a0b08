import { CONFIG_MAPS, type Resource, SECRETS } from '../api/names.ts';
import type { RawObject } from '../api/parse.ts';
import type { ReferencedData } from '../backends/backend-deps.ts';
import type { Clock } from '../clock.ts';
import { AuthorityError, RetryableError } from '../errors.ts';
import { MOST_BYTES, type Reference, type References } from '../kube/references.ts';

interface Deps {
  readonly references: Pick<References, 'acquire'>;
  readonly clock: Clock;
}

/** So long a reconcile waits for an object that an authority refers to. */
const LONGEST_READ_MS = 5_000;
const READ_STEP_MS = 100;

/** What an authority refers to in its own namespace, watched from the first time that it is asked for. */
export function referencedObjects(namespace: string, { references, clock }: Deps, onChange: () => void) {
  const used = new Map<string, Reference>();
  const unknown = new Set<string>();
  const read = async (kind: Resource, name: string) => {
    const id = `${kind.plural}/${name}`;
    const reference = used.get(id) ?? references.acquire(kind, namespace, name, onChange);
    used.set(id, reference);
    try {
      await known(reference, `${kind.kind} ${namespace}/${name}`, clock);
    } catch (error) {
      // That there is no such object is no change to the watch, but news to a reader that waited in vain.
      if (!unknown.has(id)) void reference.synced.then(onChange);
      unknown.add(id);
      throw error;
    }
    return reference.get();
  };
  return {
    secret: async (name: string) => {
      const found = await read(SECRETS, name);
      return found && contentOf(found, 'base64');
    },
    configMap: async (name: string) => {
      const found = await read(CONFIG_MAPS, name);
      return found && contentOf(found, 'utf8');
    },
    release: () => {
      for (const reference of used.values()) reference.release();
    },
  };
}

/** Waits until the watch of a reference knows; throws where it doesn't come to know soon. */
async function known(reference: Reference, what: string, clock: Clock): Promise<void> {
  for (let waitedMs = 0; !reference.known && waitedMs < LONGEST_READ_MS; waitedMs += READ_STEP_MS) {
    if (reference.problem !== undefined) break;
    await Promise.race([reference.synced, clock.sleep(READ_STEP_MS)]);
  }
  if (reference.isLeftOut)
    throw new AuthorityError(
      'NamespaceFull',
      `${what} is not read: the Secrets and ConfigMaps that authorities refer to in its namespace have more than ${MOST_BYTES / 1_048_576} MiB together; delete what is not needed`,
    );
  if (reference.known) return;
  const { problem } = reference;
  if (problem?.status === 403)
    throw new AuthorityError('BackendForbidden', `Certwheel may not read ${what}: ${problem.message}`, {
      cause: problem,
    });
  throw new RetryableError('ApiServerUnavailable', `${what} can't be read: ${problem?.message ?? 'no answer'}`);
}

/**
 * `kubectl create configmap --from-file` puts files that are not UTF-8 into `binaryData`: DER, which the reader refuses by its kind,
 * and PEM beside a comment in Latin-1, which can be read.
 */
function contentOf({ data = {}, binaryData = {} }: RawObject, encoding: 'base64' | 'utf8'): ReferencedData {
  const texts = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, encoding)]);
  const others = Object.entries(binaryData).map(([key, value]) => [key, Buffer.from(value, 'base64')]);
  return Object.fromEntries([...others, ...texts]);
}
