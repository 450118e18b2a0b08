import type { NewCondition } from '../api/conditions.ts';
import type { CertificateView } from '../pki/certificate.ts';
import { nameOf } from '../pki/path.ts';
import { isSelfSigned } from '../pki/signed-by.ts';
import { strictMessages } from '../pki/x509-strict.ts';

/** So many certificates are named. */
const NAMED = 3;

/**
 * The condition that names the verifiers which refuse this CA though most accept it. `chain` holds the CA certificates
 * above a client, nearest first, where they are known before a client is issued; `anchors` are those of ca.crt.
 */
export function refusedByVerifiers(
  chain: readonly CertificateView[],
  anchors: readonly CertificateView[],
): NewCondition[] {
  const partial = anchors.filter((each) => !isSelfSigned(each));
  const chains = chain.length > 0 ? [chain] : anchors.map((each) => [each]);
  const flaws = chains.flatMap((each) => strictMessages(each));
  const sentences = [...partial.slice(0, NAMED).map(partialText), ...flaws.slice(0, NAMED)];
  if (sentences.length === 0) return [];
  const reason = partial.length > 0 ? 'PartialChain' : 'NotStrict';
  return [{ type: 'RefusedByVerifiers', status: 'True', reason, message: sentences.join('; ') }];
}

function partialText(anchor: CertificateView): string {
  return `ca.crt holds ${nameOf(anchor)}, which is not self-signed: Go and Java accept it, OpenSSL refuses it without X509_V_FLAG_PARTIAL_CHAIN, so nginx, curl and Python before 3.13 do; the root that they need is ${anchor.issuerText}`;
}
