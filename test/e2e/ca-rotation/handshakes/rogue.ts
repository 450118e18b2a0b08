import { type Answer, refusalText, request } from '../../../interop/support/request.ts';
import { SERVER_CA } from '../../probes/verifier-world.ts';
import { makeCa, makeLeaf, type Pair } from '../../support/openssl.ts';
import { every } from './traffic.ts';
import type { Verifier } from './verifiers.ts';

/** A client that every verifier must refuse at all times. */
export interface Rogue {
  refusals(verifier: string): number;
  attempts(): number;
  accepted(): readonly string[];
  /** What is neither an acceptance nor the usual refusal of that program. */
  odd(): readonly string[];
  stop(): Promise<void>;
}

/** How long to wait for the refusal of a server that refuses before it answers a request; it ends the wait. */
const SETTLE_MS = 5_000;

/**
 * Shows certificates with the common name of a client, by CAs of its own with the names of the authority's CAs, with and
 * without the certificate of that CA.
 */
export async function startRogue(
  verifiers: readonly Verifier[],
  names: { readonly cas: readonly string[]; readonly client: string },
  everyMs: number,
): Promise<Rogue> {
  const shown: Pair[] = [];
  for (const name of names.cas) {
    const ca = await makeCa(name);
    const leaf = await makeLeaf(ca, names.client);
    shown.push(leaf, { ...leaf, certificate: leaf.certificate + ca.certificate });
  }
  const refusals = new Map<string, number>();
  const accepted: string[] = [];
  const odd: string[] = [];
  let attempts = 0;
  const stop = every(everyMs, async (count) => {
    const verifier = verifiers[count % verifiers.length] as Verifier;
    const client = shown[Math.floor(count / verifiers.length) % shown.length] as Pair;
    attempts++;
    const seen = await showTo(verifier, client);
    if (seen === 'refused') refusals.set(verifier.name, (refusals.get(verifier.name) ?? 0) + 1);
    else (seen === 'accepted' ? accepted : odd).push(`${new Date().toISOString()} ${verifier.name}: ${seen}`);
  });
  return {
    refusals: (verifier) => refusals.get(verifier) ?? 0,
    attempts: () => attempts,
    accepted: () => accepted,
    odd: () => odd,
    stop,
  };
}

/** `refused`, `accepted`, or what else the verifier did with that certificate. */
export async function showTo(
  { port, reader }: Verifier,
  client: Pair,
): Promise<'refused' | 'accepted' | (string & {})> {
  const { seen } = reader.refuses['of another CA'];
  const settleMs = String(seen).startsWith('HTTP') ? 0 : SETTLE_MS;
  const outcome: Answer | Error = await request({ port, ca: SERVER_CA, client, settleMs }).catch(
    (error: Error) => error,
  );
  if (!(outcome instanceof Error) && outcome.status === 200) return 'accepted';
  const text = refusalText(outcome);
  return (seen instanceof RegExp ? seen.test(text) : seen === text) ? 'refused' : text;
}
