import type { ExternalRoot } from '../../api/generated/types.ts';
import { parseMeta, type RawObject } from '../../api/parse.ts';
import { AuthorityError } from '../../errors.ts';
import { cut, oneLine } from '../../foreign-text.ts';
import type { CaPair } from '../../pki/ca.ts';
import { CaError } from '../../pki/ca-error.ts';
import type { CaReader } from '../../pki/ca-reader.ts';
import { publicKeyDer } from '../../pki/keys.ts';
import { encodeName, isAlmostSameName, type Subject } from '../../pki/name.ts';
import { nameOf } from '../../pki/path.ts';
import type { Aside } from '../../pki/signer.ts';
import type { Trust } from '../backend.ts';
import {
  CERTIFICATE_KEY,
  DENIED_KEY,
  digestOf,
  isBinaryAt,
  REQUEST_KEY,
  textAt,
  unreadKeys,
} from '../external/csr-manifest.ts';
import { BINARY_ANSWER, handInAgain, waitingText } from '../external/texts.ts';
import { readCertificates } from '../shared/read-certificates.ts';
import type { KeptRequest } from './kept-request.ts';

const LONGEST_DENIAL = 400;
const MOST_CERTIFICATES = 20;

interface HandedIn {
  /** The ConfigMap. */
  readonly found: RawObject;
  readonly request: KeptRequest & { readonly subject: Subject };
  readonly root: ExternalRoot;
  /** What the root's trustBundle holds. */
  readonly trust: Trust;
  /** When the CA ends that signs now. */
  readonly ends: Date | undefined;
}

/**
 * The CA whose certificate a person has handed in. Throws an AuthorityError: CAUnsigned while there is none, CAPairRefused
 * where it isn't for this key and name, can't sign, or doesn't lead to the root.
 */
export async function signedPair(
  { found, request, root, trust: { anchors, intermediates }, ends }: HandedIn,
  reader: CaReader,
  now: Date,
  aside: Aside,
): Promise<CaPair> {
  const place = parseMeta(found);
  const what = `ConfigMap ${place.namespace}/${place.name}`;
  const digest = digestOf(textAt(found, REQUEST_KEY));
  const denied = oneLine(textAt(found, DENIED_KEY));
  if (denied !== '')
    throw new AuthorityError(
      'CAUnsigned',
      `the CSR in ${what} was denied: ${cut(denied, LONGEST_DENIAL)}; to ask again, delete it: kubectl delete configmap -n ${place.namespace} ${place.name}`,
    );
  const pem = textAt(found, CERTIFICATE_KEY);
  const refused = (problem: string, cause?: Error) =>
    new AuthorityError('CAPairRefused', `${what}, key ${CERTIFICATE_KEY}: ${problem}; ${handInAgain(found)}`, {
      cause,
    });
  if (isBinaryAt(found, CERTIFICATE_KEY)) throw refused(BINARY_ANSWER);
  if (pem.trim() === '')
    throw new AuthorityError(
      'CAUnsigned',
      waitingText(
        { ...place, digest, instructions: root.instructions, unread: unreadKeys(found), ends, subject: 'CA' },
        now,
      ),
    );
  const given = readCertificates([pem], (why) => refused(`the certificates can't be read: ${why}`), MOST_CERTIFICATES);
  if (!given.some((each) => each.publicKeyDer.equals(publicKeyDer(request.key))))
    throw refused(
      `no certificate is for the key of ${REQUEST_KEY}, so it answers a former request or another one; have the present ${REQUEST_KEY} signed (SHA-256 ${digest})`,
    );
  const roots = Buffer.from([...anchors, ...intermediates].map((each) => each.pem).join(''));
  const material = {
    place: what,
    certificates: Buffer.from(pem),
    key: Buffer.from(request.pem),
    roots,
    partialChain: root.trustBundle.partialChain,
  };
  const pair = await reader.read(material, now, aside).catch((error: unknown) => {
    throw error instanceof CaError ? refused(error.message, error) : error;
  });
  if (!anchors.some(({ fingerprintSHA256 }) => fingerprintSHA256 === pair.anchor.fingerprintSHA256))
    throw refused(`it leads to ${nameOf(pair.anchor)}, which is not in spec.selfManaged.externalRoot.trustBundle`);
  if (!isAlmostSameName(pair.certificate.subjectDer, encodeName(request.subject)))
    throw refused(
      `its subject is ${nameOf(pair.certificate)}, not ${JSON.stringify(request.subject.commonName)} as in the CSR`,
    );
  return pair;
}
