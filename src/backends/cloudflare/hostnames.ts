import type { CloudflareBackend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import { readable } from '../../foreign-text.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { membersOf, textsOf } from '../http/json-members.ts';
import type { CloudflareApi } from './api.ts';

/** A spec has 100 at most; a server that lists 200 CA certificates could otherwise fill the memory. */
const MOST_HOSTNAMES = 1_000;
const LONGEST_HOSTNAME = 253;
const LONGEST_LIST = 1_024;

/**
 * The hostnames of a zone that ask clients for a certificate: of an uploaded CA, or of the managed one without an id. Throws
 * an AuthorityError.
 */
export async function readHostnames(
  api: CloudflareApi,
  zone: string,
  certificateId: string | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const query = certificateId === undefined ? '' : `?mtls_certificate_id=${encodeURIComponent(certificateId)}`;
  const what = `reading the hostname associations of zone ${zone}`;
  const { result } = await api.get({ method: 'GET', path: `${pathOf(zone)}${query}` }, what, `zone ${zone}`, signal);
  const hostnames = textsOf(membersOf(result).hostnames);
  if (hostnames.length > MOST_HOSTNAMES || hostnames.some(({ length }) => length > LONGEST_HOSTNAME))
    throw new AuthorityError(
      'InvalidAnswer',
      `${api.server}: ${what} was answered with more than ${MOST_HOSTNAMES} names, or with one that is too long`,
    );
  return hostnames.map((each) => each.toLowerCase());
}

/** Replaces the whole list. */
export async function writeHostnames(
  api: CloudflareApi,
  zone: string,
  certificateId: string | undefined,
  hostnames: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const body = { hostnames, ...(certificateId === undefined ? {} : { mtls_certificate_id: certificateId }) };
  const what = `replacing the hostname associations of zone ${zone}`;
  await api.get({ method: 'PUT', path: pathOf(zone), body }, what, `zone ${zone}`, signal);
}

/** Makes the list of the managed CA what the spec declares; without a declaration it is left alone. */
export async function keepHostnames(
  api: CloudflareApi,
  { zone, hostnames }: Pick<CloudflareBackend, 'zone' | 'hostnames'>,
  { log, name, owns }: Pick<BackendDeps, 'log' | 'name' | 'owns'>,
  signal: AbortSignal,
): Promise<void> {
  if (hostnames === undefined || !owns()) return;
  const found = await readHostnames(api, zone, undefined, signal);
  if (isSameSet(found, hostnames) || !owns()) return;
  await writeHostnames(api, zone, undefined, hostnames, signal);
  const before = shownHostnames(found);
  log.info('the hostname associations of a zone were replaced', { authority: name, zone, before, hostnames });
}

/** For a log line. */
export function shownHostnames(hostnames: readonly string[]): string {
  return readable(hostnames.join(' '), LONGEST_LIST);
}

export function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  return [...new Set(one)].sort().join() === [...new Set(other)].sort().join();
}

function pathOf(zone: string): string {
  return `/zones/${encodeURIComponent(zone)}/certificate_authorities/hostname_associations`;
}
