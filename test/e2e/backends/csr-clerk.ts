import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDuration } from '../../../src/api/duration.ts';
import { CONFIG_MAPS, CSR_OF_LABEL, REQUESTED_DURATION_ANNOTATION, resourcePath } from '../../../src/api/names.ts';
import { parseMeta, type RawObject } from '../../../src/api/parse.ts';
import { openssl, type Pair, withFiles } from '../support/openssl.ts';
import { plainApi } from '../support/plain-api.ts';
import type { World } from '../support/world.ts';
import { type Approver, type Verdict, WORDS } from './approver.ts';
import { repeatedly } from './repeatedly.ts';

const LOOK_MS = 100;
const DAY_MS = 86_400_000;
const EXTENSIONS = [
  'basicConstraints = critical, CA:false',
  'subjectKeyIdentifier = hash',
  'authorityKeyIdentifier = keyid',
];

/** The certificate (PEM) that a person makes with openssl from a CSR (PEM). */
export function signByHand(ca: Pair, csr: string, days: number): Promise<string> {
  const files = { 'ca.crt': ca.certificate, 'ca.key': ca.key, 'request.pem': csr, 'client.cnf': EXTENSIONS.join('\n') };
  return withFiles(files, async (folder) => {
    const asked = ['-in', 'request.pem', '-copy_extensions', 'copy', '-extfile', 'client.cnf'];
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    await openssl(folder, 'x509', '-req', ...asked, ...signer, '-days', String(days), '-out', 'tls.crt');
    return readFile(join(folder, 'tls.crt'), 'utf8');
  });
}

/** Puts keys into the ConfigMap of a request, unless another one has its name by now; null removes a key. */
export async function handIn(
  { cluster }: World,
  { metadata }: RawObject,
  data: Readonly<Record<string, string | null>>,
): Promise<void> {
  const path = resourcePath(CONFIG_MAPS, metadata?.namespace, metadata?.name);
  const body = { metadata: { uid: metadata?.uid }, data };
  await plainApi(cluster).send('PATCH', path, body, 'application/merge-patch+json');
}

export interface Clerk extends Approver {
  /** Signs the CSR of a ConfigMap, or denies it. */
  decide(object: RawObject, verdict: Verdict): Promise<void>;
  /** So many CSRs were signed. */
  readonly signed: number;
  rest(): void;
  resume(): void;
}

/** A person with openssl who signs whatever waits, unless told to leave it. */
export function startClerk(world: World, ca: Pair): Clerk {
  const left = new Set<string>();
  let signed = 0;
  let isResting = false;
  const decide = async (object: RawObject, verdict: Verdict) => {
    if (verdict === 'Denied') return handIn(world, object, { denied: WORDS });
    const asked = object.metadata?.annotations?.[REQUESTED_DURATION_ANNOTATION] ?? '24h';
    const days = Math.ceil((parseDuration(asked) ?? DAY_MS) / DAY_MS);
    const certificate = await signByHand(ca, object.data?.['request.csr'] ?? '', days);
    await handIn(world, object, { 'tls.crt': certificate });
    signed += 1;
  };
  const look = async () => {
    if (isResting) return;
    const { items } = await world.client.list(CONFIG_MAPS, { labelSelector: CSR_OF_LABEL });
    const isOpen = ({ data = {} }: RawObject) => data['tls.crt'] === undefined && data.denied === undefined;
    const open = items.filter((each) => !left.has(parseMeta(each).namespace) && isOpen(each));
    await Promise.all(open.map((each) => decide(each, 'Approved')));
  };
  return {
    leave: (namespace) => void left.add(namespace),
    stop: repeatedly(LOOK_MS, look),
    decide,
    rest: () => {
      isResting = true;
    },
    resume: () => {
      isResting = false;
    },
    get signed() {
      return signed;
    },
  };
}
