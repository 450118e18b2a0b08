import { setImmediate } from 'node:timers/promises';
import { keyOf } from '../api/parse.ts';
import { provenView } from '../certificate/secret/view.ts';
import type { CaPath } from '../pki/ca.ts';
import type { CertificateView } from '../pki/certificate.ts';
import {
  type Constraints,
  compileConstraints,
  constraintsProblem,
  policiesToCopy,
} from '../pki/constraints/constraints.ts';
import { encodeName } from '../pki/name.ts';
import { nameOf } from '../pki/path.ts';
import type { Consumer } from './deps.ts';
import type { Generation } from './generation.ts';

/** Name constraints by the thousand take a millisecond to compare with one certificate. */
const CONSUMERS_AT_ONCE = 20;

/**
 * Why a root that was renewed under its key and name would take down clients that run, as a sentence: it forbids what they
 * hold. Verifiers lead the certificates of the former root to the new one as soon as it is in their ca.crt, and nothing is
 * issued anew.
 */
export async function narrowedProblem(
  path: CaPath,
  generations: readonly Generation[],
  consumers: () => readonly Consumer[],
  now: Date,
): Promise<string | undefined> {
  if (generations.some((each) => each.path.id === path.id)) return undefined;
  for (const generation of generations.filter((each) => isRenewedBy(each.path.anchor, path.anchor))) {
    const { chain, certificate } = generation.path;
    // Servers build it of what a client of the former root sends and of the new root.
    const [before, after] = [constraintsOf(chain), constraintsOf([...chain.slice(0, -1), path.anchor])];
    const served = after === undefined ? [] : consumers();
    for (const [index, consumer] of served.entries()) {
      if (index % CONSUMERS_AT_ONCE === CONSUMERS_AT_ONCE - 1) await setImmediate();
      const held = consumer.secret && provenView(consumer.secret).certificate;
      if (held?.issuerFingerprint !== certificate.fingerprintSHA256 || held.notAfter <= now) continue;
      const problem = forbidden(after, consumer);
      if (problem === undefined || forbidden(before, consumer) !== undefined) continue;
      return `${nameOf(path.anchor)} has the key and the name of the root of generation ${generation.version}, and forbids what ${keyOf(consumer.resource)} holds: ${problem}; verifiers would refuse that client at once: make a root that permits it, or a CA with another key`;
    }
  }
  return undefined;
}

function isRenewedBy(root: CertificateView, other: CertificateView): boolean {
  return (
    root.publicKeyPin === other.publicKeyPin &&
    root.subjectDer.equals(other.subjectDer) &&
    root.fingerprintSHA256 !== other.fingerprintSHA256
  );
}

/** Undefined where they can't be read; the trial has its word on that. */
function constraintsOf(chain: readonly CertificateView[]): Constraints | undefined {
  try {
    return compileConstraints(chain);
  } catch {
    return undefined;
  }
}

function forbidden(constraints: Constraints | undefined, { resource }: Consumer): string | undefined {
  if (constraints === undefined) return undefined;
  const { subject, names, usages } = resource.spec.identity;
  const policies = policiesToCopy(constraints);
  return constraintsProblem(constraints, { subject, subjectDer: encodeName(subject), names, usages, policies })
    ?.problem;
}
