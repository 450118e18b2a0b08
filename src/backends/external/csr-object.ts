import { CONFIG_MAPS } from '../../api/names.ts';
import { parseMeta, type RawObject } from '../../api/parse.ts';
import type { Clock } from '../../clock.ts';
import { ApiError, RetryableError } from '../../errors.ts';
import { Buckets } from '../../queue/bucket.ts';
import type { BackendDeps, KubernetesObjects } from '../backend-deps.ts';
import {
  type CsrMark,
  type CsrRequest,
  csrManifest,
  csrName,
  isForRequest,
  isOurs,
  isRequestOf,
} from './csr-manifest.ts';

const PACE = { capacity: 3, refillMs: 10_000 };

/** How often the ConfigMaps of one authority are made: what deletes or alters one may do so each time. */
export class CsrPace {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #made = new Buckets(PACE);

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Throws a RetryableError ConfigMapNotOwned where it was made several times in a row. */
  take(place: string): void {
    const retryAfterMs = this.waitMs(place);
    if (retryAfterMs > 0) throw altered(place, 'was deleted or changed several times in a row', retryAfterMs);
  }

  /** 0 where it may be made now, which is counted; otherwise in how many milliseconds it may be. */
  waitMs(place: string): number {
    return this.#made.take(place, this.#clock.monotonicMs());
  }
}

function altered(place: string, what: string, retryAfterMs: number): RetryableError {
  return new RetryableError(
    'ConfigMapNotOwned',
    `ConfigMap ${place}, which holds a CSR to be signed, ${what}; find out which program or admission webhook does that: kubectl get configmap -n ${place.replace('/', ' ')} -o yaml --show-managed-fields`,
    { retryAfterMs },
  );
}

/**
 * The ConfigMap that holds the CSR of a request, with the answer once it is there: made now, before a crash, or by another
 * replica. One that was removed, or whose CSR was changed, is made again with the same key. Throws a RetryableError
 * ConfigMapNotOwned if another program's ConfigMap has its name.
 */
export async function csrObject(
  request: CsrRequest,
  instructions: string | undefined,
  objects: KubernetesObjects,
  pace: CsrPace,
): Promise<RawObject> {
  const name = csrName(request);
  const found = await objects.get(CONFIG_MAPS, name);
  if (found !== undefined) refuseForeign(found, request, objects);
  if (found !== undefined && isForRequest(found, request)) return found;
  pace.take(`${objects.namespace}/${name}`);
  if (found === undefined) return create(request, instructions, objects);
  await objects.delete(CONFIG_MAPS, name, { uid: parseMeta(found).uid });
  return create(request, instructions, objects);
}

/** Removes the ConfigMap of a request, if it is there and is still the one of that request; without an id, that of any request. */
export async function removeCsr(
  request: CsrMark & Partial<Pick<CsrRequest, 'id'>>,
  objects: KubernetesObjects,
  { log, name: authority }: Pick<BackendDeps, 'log' | 'name'>,
): Promise<void> {
  const name = csrName(request);
  try {
    const found = await objects.get(CONFIG_MAPS, name);
    if (found === undefined || !isOurs(found, request)) return;
    if (request.id !== undefined && !isRequestOf(found, { id: request.id })) return;
    await objects.delete(CONFIG_MAPS, name, { uid: parseMeta(found).uid });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Another ConfigMap has its name by now.
    if (error.status === 409) return;
    // A missing right must not stand in the way of the next request.
    if (error.status !== 403) throw error;
    log.warn('a CSR stays, since its ConfigMap may not be removed', {
      authority,
      configMap: name,
      error: error.message,
    });
  }
}

async function create(
  request: CsrRequest,
  instructions: string | undefined,
  objects: KubernetesObjects,
): Promise<RawObject> {
  try {
    const made = await objects.create(CONFIG_MAPS, csrManifest(request, instructions));
    // The condition would tell the digest of another CSR.
    if (isForRequest(made, request) && isOurs(made, request)) return made;
    // Without its marks it would be said to be another program's at the next look.
    await objects.delete(CONFIG_MAPS, csrName(request), { uid: parseMeta(made).uid }).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
    throw altered(`${objects.namespace}/${csrName(request)}`, 'is stored otherwise than it was sent', PACE.refillMs);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    // Another replica was faster, or a finalizer holds the former one.
    const found = await objects.get(CONFIG_MAPS, csrName(request));
    if (found === undefined) throw error;
    refuseForeign(found, request, objects);
    if (!isForRequest(found, request)) throw error;
    return found;
  }
}

function refuseForeign(found: RawObject, request: CsrMark, { namespace }: KubernetesObjects): void {
  const { deletionTimestamp, finalizers = [] } = found.metadata ?? {};
  const name = csrName(request);
  const place = `ConfigMap ${namespace}/${name}`;
  if (!isOurs(found, request))
    throw new RetryableError(
      'ConfigMapNotOwned',
      `the CSR is to be written into ${place}, which exists and isn't Certwheel's; rename it if something uses it, otherwise delete it: kubectl delete configmap -n ${namespace} ${name}`,
    );
  if (deletionTimestamp !== undefined)
    throw new RetryableError(
      'ConfigMapNotOwned',
      `the CSR is to be written into ${place}, which is being deleted${finalizers.length === 0 ? '' : ` and is held by the finalizers ${finalizers.join(', ')}; the controllers that set them have to remove them`}`,
    );
}
