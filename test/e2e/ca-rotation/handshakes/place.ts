import type { AuthorityStatus, CAGeneration } from '../../../../src/api/generated/types.ts';
import {
  CERTIFICATE_AUTHORITIES,
  CLUSTER_CERTIFICATE_AUTHORITIES,
  ROTATE_CA_ANNOTATION,
} from '../../../../src/api/names.ts';
import { patch } from '../../support/edits.ts';
import { eventually } from '../../support/eventually.ts';
import { untilNextSecond } from '../../support/moments.ts';
import { conditionOf } from '../../support/objects.ts';
import type { World } from '../../support/world.ts';

/** The authority of a test, of either kind. */
export interface Place {
  readonly world: World;
  readonly kind: 'CertificateAuthority' | 'ClusterCertificateAuthority';
  readonly name: string;
  /** Where the verifiers are, and the Secrets of the authority. */
  readonly home: string;
}

/** A rotation takes some 25 s on a quiet machine. */
const PATIENCE_MS = 180_000;
const PAUSE_MS = 200;

/** How to name the authority to the API server. */
export function addressOf({ kind, name, home }: Place) {
  return kind === 'CertificateAuthority'
    ? { resource: CERTIFICATE_AUTHORITIES, namespace: home, name }
    : { resource: CLUSTER_CERTIFICATE_AUTHORITIES, namespace: undefined, name };
}

export function patchPlace(place: Place, change: object) {
  const { resource, namespace, name } = addressOf(place);
  return patch(place.world, resource, namespace, name, change);
}

export function annotatePlace(place: Place, annotation: string, value: string) {
  return patchPlace(place, { metadata: { annotations: { [annotation]: value } } });
}

/** Asks for the next CA, later than the second in which the former one was made. */
export async function askForRotation(place: Place): Promise<void> {
  await untilNextSecond();
  await annotatePlace(place, ROTATE_CA_ANNOTATION, new Date().toISOString());
}

export async function statusOfPlace(place: Place): Promise<AuthorityStatus> {
  const { resource, namespace, name } = addressOf(place);
  return ((await place.world.client.get(resource, namespace, name))?.status ?? {}) as AuthorityStatus;
}

/** From version 1 on. */
export function statesOf({ generations = [] }: AuthorityStatus): CAGeneration['state'][] {
  return [...generations].sort((one, other) => one.version - other.version).map(({ state }) => state);
}

/** Waits until status is as wanted; its last words are in the error. */
export async function untilStatus(
  place: Place,
  what: string,
  isSo: (status: AuthorityStatus) => boolean,
  withinMs = PATIENCE_MS,
): Promise<AuthorityStatus> {
  let last: AuthorityStatus = {};
  const ask = async () => {
    last = await statusOfPlace(place);
    return isSo(last) && last;
  };
  return eventually(what, ask, withinMs, PAUSE_MS).catch((error: Error) => {
    throw new Error(`${error.message}; ${statesOf(last)}; ${JSON.stringify([last.caRotation, last.verifiers])}`);
  });
}

export function untilSigns(place: Place, version: number): Promise<AuthorityStatus> {
  return untilStatus(place, `generation ${version} signs`, ({ activeGeneration }) => activeGeneration === version);
}

/** Waits until all generations but this one are retired. */
export function untilOnly(place: Place, version: number, withinMs?: number): Promise<AuthorityStatus> {
  const isOnly = (status: AuthorityStatus) =>
    status.activeGeneration === version &&
    statesOf(status).every((state, index) => state === (index + 1 === version ? 'Active' : 'Retired')) &&
    conditionOf(status, 'Rotating') === undefined;
  return untilStatus(place, `generation ${version} is the only one`, isOnly, withinMs);
}
