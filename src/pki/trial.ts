import type { CaPath } from './ca.ts';
import { CaError } from './ca-error.ts';
import { parseCertificate } from './certificate.ts';
import { proveIssued } from './chain.ts';
import { policiesToCopy } from './constraints/constraints.ts';
import { signLeaf } from './issue.ts';
import { isAboutNames, rulesOf } from './path-rules.ts';
import { NO_NAMES } from './san.ts';
import { isIssuedBy } from './signed-by.ts';
import type { Signer } from './signer.ts';

const HOUR = 3_600_000;
const SECOND = 1_000;
const IDENTITY = {
  subject: { commonName: 'Certwheel trial' },
  names: NO_NAMES,
  usages: ['digital signature', 'client auth'],
};

/**
 * Signs a leaf that nothing keeps, and proves it as every answer is proven: what is wrong with the CA is found before a
 * client needs it.
 */
export async function refusalOfTrial(
  { certificate, chain, anchor }: CaPath,
  signer: Signer,
  place: string,
  now: Date,
): Promise<CaError | undefined> {
  const endMs = Math.min(now.getTime() + HOUR, ...chain.map(({ notAfter }) => notAfter.getTime()));
  if (endMs - now.getTime() < SECOND)
    // As `unfit` says it: the last second before is no time to sign in.
    return new CaError(
      'Expired',
      `${place}, key tls.crt: the chain has expired at ${new Date(endMs).toISOString()}; renew it`,
    );
  const der = await signLeaf({
    ca: { certificate, signer },
    publicKeyDer: signer.publicKey,
    ...IDENTITY,
    policies: policiesToCopy(rulesOf(chain).constraints),
    serialNumber: Buffer.of(1),
    notBefore: new Date(Math.floor(now.getTime() / SECOND) * SECOND),
    notAfter: new Date(Math.floor(endMs / SECOND) * SECOND),
  });
  const leaf = parseCertificate(der);
  // A key file holds its public half too, and nothing but a signature proves that the halves belong together.
  if (!isIssuedBy(leaf, certificate))
    return new CaError('KeyMismatch', `${place}, key tls.key: this is not the key of the certificate in tls.crt`);
  const flaw = proveIssued({
    chain: [leaf, ...chain],
    anchors: [anchor],
    expected: { ...IDENTITY, publicKeyDer: signer.publicKey, now },
    carries: ['commonName', 'subject'],
  });
  // Which names the CA allows is for each client's certificate to tell.
  return flaw === undefined || isAboutNames(flaw.field)
    ? undefined
    : new CaError(
        'UnfitForClients',
        `${place}, key tls.crt: no verifier would accept what this CA signs: ${flaw.problem}`,
      );
}
