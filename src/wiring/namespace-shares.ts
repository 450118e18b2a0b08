import type { Decision } from '../api/certificate-approval.ts';
import { type AnyCertificateAuthority, brokenAuthority } from '../api/certificate-authority.ts';
import {
  type BrokenClientCertificate,
  brokenClientCertificate,
  type ClientCertificate,
} from '../api/client-certificate.ts';
import { identify, type RawObject } from '../api/parse.ts';
import { type NextKey, viewNextKey } from '../certificate/request/next-key.ts';
import { isView, NO_RECORD, type SecretKept } from '../certificate/secret/record.ts';
import type { Config } from '../config.ts';
import { ENTRY_BYTES, type Share, weightOf } from '../kube/cache/namespace-share.ts';
import { type GenerationSecret, viewGenerationSecret } from '../rotation/generation-secret.ts';

const MEBIBYTE = 1_048_576;
/** When what was left out is tried again without a change: with each list, see WatchTiming. */
const AGAIN = 'it is tried again when it changes, or within half an hour';

/** How much of each kind of objects is kept for one namespace. */
export function sharesOf({ namespaceShareMiB, namespaceAuthorities, controllerNamespace }: Config) {
  const bytes = namespaceShareMiB * MEBIBYTE;
  const certificates: Share<ClientCertificate | BrokenClientCertificate> = {
    bytes,
    weigh: inCache(weightOf),
    beyond: (object) =>
      brokenClientCertificate(
        object,
        `the ClientCertificates of namespace ${object.metadata?.namespace} take more than ${namespaceShareMiB} MiB of memory together; delete some, or ask a cluster administrator to raise controller.namespaceShareMiB of the chart (--namespace-share-mib); ${AGAIN}`,
        'NamespaceFull',
      ),
  };
  const authorities: Share<AnyCertificateAuthority> = {
    bytes: namespaceAuthorities,
    weigh: () => 1,
    beyond: (object) =>
      brokenAuthority(
        'CertificateAuthority',
        object,
        `namespace ${object.metadata?.namespace} has more than ${namespaceAuthorities} CertificateAuthorities; delete some, or ask a cluster administrator to raise controller.namespaceAuthorities of the chart (--namespace-authorities); ${AGAIN}`,
        'NamespaceFull',
      ),
  };
  const secrets: Share<SecretKept> = {
    bytes,
    weigh: inCache((kept) => (isView(kept) ? kept.weight : weightOf(kept))),
    beyond: () => NO_RECORD,
  };
  const nextKeys: Share<NextKey> = {
    bytes: bytes / 8,
    weigh: inCache(weightOf),
    beyond: (object) => viewNextKey(unmarked(object)),
  };
  const generations: Share<GenerationSecret> = {
    bytes: bytes / 4,
    weigh: inCache(({ weight }) => weight),
    beyond: (object) => viewGenerationSecret(unmarked(object), controllerNamespace),
  };
  const approvals: Share<Decision | undefined> = {
    bytes: bytes / 8,
    weigh: inCache(weightOf),
    beyond: () => undefined,
  };
  return { certificates, authorities, secrets, nextKeys, generations, approvals };
}

/** With what the cache itself takes for each: of objects that say little that is most. */
function inCache<T>(weigh: (value: T) => number): (value: T) => number {
  return (value) => ENTRY_BYTES + weigh(value);
}

/** An object that says nothing but which one it is. */
function unmarked(object: RawObject): RawObject {
  return { metadata: identify(object) };
}
