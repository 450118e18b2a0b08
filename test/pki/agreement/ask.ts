import type { CertificateView } from '../../../src/pki/certificate.ts';
import { compileConstraints, constraintsProblem } from '../../../src/pki/constraints/constraints.ts';
import { lazily } from '../../e2e/support/lazily.ts';
import { NOW } from '../make.ts';
import { startJudges, type Verdicts } from '../verifiers/judges.ts';

/** The verifiers of a test file: `test.after(judges.stop)` ends them. */
export const judges = lazily(startJudges);

/** What the verifiers say at NOW of a path, leaf first and anchor last, for each TLS role that the leaf names. */
export async function ask(path: readonly CertificateView[]): Promise<Verdicts> {
  const [leaf, ...issuers] = path;
  if (leaf === undefined) throw new Error('a path without a leaf');
  const ders = issuers.map(({ der }) => der);
  return (await judges.get()).judge({
    leaf: leaf.der,
    intermediates: ders.slice(0, -1),
    anchors: ders.slice(-1),
    at: NOW,
    serverAuth: leaf.usages.includes('server auth'),
  });
}

/** What the constraints of the CAs of the path forbid the leaf; undefined if nothing. */
export function leafProblem([leaf, ...issuers]: readonly CertificateView[]) {
  if (leaf === undefined) throw new Error('a path without a leaf');
  return constraintsProblem(compileConstraints(issuers), leaf);
}
