import type { Answer } from './answer.ts';

/**
 * What the answers of one endpoint say of one CA generation.
 *
 * Trusts: it accepts a certificate of that generation, and refuses a rogue one. DoesNotTrust: it refuses that of the
 * generation. AcceptsRogue: it accepts both alike, so that its acceptance proves nothing. Unknown: an answer is missing.
 */
export type Verdict = 'Trusts' | 'DoesNotTrust' | 'AcceptsRogue' | 'Unknown';

export interface Asked {
  /** The answer to a certificate of the generation; undefined where there is none to be shown. */
  readonly leaf: Answer | undefined;
  /** The answer to a certificate of a foreign CA with the same names. */
  readonly rogue: Answer | undefined;
  /** Names (DER) of the CAs in the chain of the leaf: one of them must be in the server's list of CA names, if it has one. */
  readonly issuerNames: readonly Buffer[];
  /** Whether a certificate of another generation was accepted in the same round. */
  readonly acceptsAnother: boolean;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** What is wrong, as the rest of a sentence that begins with the endpoint; undefined where it trusts. */
  readonly because: string | undefined;
}

const LISTS_OTHERS =
  'accepts the certificate, but its list of CA names lacks this CA, so that clients such as those of Go and Java send none; write the new CA into the file from which it sends the names';

/** A verdict from the answers of one endpoint in one round. */
export function judge({ leaf, rogue, issuerNames, acceptsAnother }: Asked): Judgement {
  if (rogue?.outcome === 'Accepted')
    return {
      verdict: 'AcceptsRogue',
      because:
        rogue.demand?.asksFor === 'nothing'
          ? `asks for no client certificate, and accepts everybody (${rogue.seen}); make it require one`
          : `accepts a certificate of a foreign CA (${rogue.seen}); make it verify client certificates against the CA`,
    };
  if (leaf === undefined) return { verdict: 'Unknown', because: 'was not asked, since the CA signs nothing any more' };
  const { outcome, seen } = leaf;
  if (outcome === 'Rejected' || (outcome === 'Closed' && acceptsAnother))
    return { verdict: 'DoesNotTrust', because: `refuses the certificate (${seen}); give it the CA and reload it` };
  if (outcome !== 'Accepted') return { verdict: 'Unknown', because: `gives no answer (${seen})` };
  if (lists(leaf, issuerNames) === false) return { verdict: 'DoesNotTrust', because: LISTS_OTHERS };
  // Of this endpoint the good certificate was accepted, under a certificate of its own that is trusted: to end the connection
  // without a word is then its way to refuse.
  if (rogue?.outcome === 'Rejected' || rogue?.outcome === 'Closed') return { verdict: 'Trusts', because: undefined };
  const why = rogue === undefined ? 'was not asked' : `gives no answer to (${rogue.seen})`;
  return { verdict: 'Unknown', because: `${why} a certificate of a foreign CA, so what it accepts proves nothing` };
}

/** Whether the server's list of CA names has room for a certificate of this CA; undefined where it isn't known. */
function lists({ demand }: Answer, issuerNames: readonly Buffer[]): boolean | undefined {
  if (demand === undefined || demand.asksFor === 'nothing') return undefined;
  const { caNames } = demand;
  return caNames.length === 0 || caNames.some((name) => issuerNames.some((issuer) => issuer.equals(name)));
}

/** From the worst to the best: that of a verifier is the worst of its endpoints. */
const ORDER: readonly Verdict[] = ['AcceptsRogue', 'DoesNotTrust', 'Unknown', 'Trusts'];

/** The verdict on several endpoints together; Unknown where there are none, since none has answered. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return ORDER.find((each) => verdicts.includes(each)) ?? 'Unknown';
}
