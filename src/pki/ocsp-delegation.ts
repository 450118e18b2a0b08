import type { CaPath } from './ca.ts';
import { constraintsProblem, policiesToCopy } from './constraints/constraints.ts';
import { encodeName } from './name.ts';
import { rulesOf } from './path-rules.ts';
import { NO_NAMES } from './san.ts';

/**
 * What the certificate of a responder says, to which a CA delegates its OCSP answers: the usage of RFC 6960 section 4.2.2.2, and no
 * other extended one, since the key is in reach of the internet.
 */
export const OCSP_IDENTITY = {
  subject: { commonName: 'Certwheel OCSP' },
  names: NO_NAMES,
  usages: ['digital signature', 'ocsp signing'],
} as const;

const SUBJECT_DER = encodeName(OCSP_IDENTITY.subject);

/** Why verifiers would refuse the answers of a responder of this CA, as a sentence; undefined where they accept them. */
export function ocspProblem({ chain }: Pick<CaPath, 'chain'>): string | undefined {
  const { problem, constraints } = rulesOf(chain);
  const leaf = { ...OCSP_IDENTITY, subjectDer: SUBJECT_DER, policies: policiesToCopy(constraints) };
  return problem ?? constraintsProblem(constraints, leaf)?.problem;
}
