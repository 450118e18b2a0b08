import type { RawObject } from '../../api/parse.ts';
import { type CertificateFacts, factsOf } from './facts.ts';
import {
  LEADS_NOWHERE,
  type OwedContent,
  readSecretContent,
  type SecretContent,
  SecretContentError,
} from './read-content.ts';
import { holdsKey } from './secret-type.ts';

/** The facts of a certificate, or facts that are not proven yet, or the sentence that says why there are none. */
export type Content = CertificateFacts | Unproven | string;

export class Unproven {
  readonly claimed: Pick<CertificateFacts, 'notBefore' | 'notAfter' | 'serialNumber'>;
  /** Of what is kept for the proof, in bytes. */
  readonly weight: number;
  readonly prove: () => CertificateFacts | string;

  constructor(claimed: Unproven['claimed'], weight: number, prove: Unproven['prove']) {
    this.claimed = claimed;
    this.weight = weight;
    this.prove = prove;
  }
}

/** What the data of a Secret holds, without the proof that takes a signature or more. `known` is what it is known to hold. */
export function contentOnArrival({ data, type }: RawObject, known: SecretContent | undefined): Content {
  return orProblem(() => {
    const content = known ?? readSecretContent(data, holdsKey(type));
    if ('settle' in content) return withoutPath(content);
    return content.owedProof === undefined ? factsOf(content) : withoutSignature(factsOf(content), content.owedProof);
  });
}

// Apart, since a closure keeps all that its scope holds, and these stay for every ClientCertificate.
function withoutSignature(facts: CertificateFacts, isTrue: () => boolean): Unproven {
  return new Unproven(facts, 0, () => (isTrue() ? facts : LEADS_NOWHERE));
}

function withoutPath(content: OwedContent): Unproven {
  const { notBefore, notAfter, serialNumber } = content.leaf;
  return new Unproven({ notBefore, notAfter, serialNumber }, content.weight, () =>
    orProblem(() => factsOf(content.settle())),
  );
}

function orProblem<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (error instanceof SecretContentError) return error.message;
    throw error;
  }
}
