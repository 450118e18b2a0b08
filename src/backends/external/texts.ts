import { toRfc3339 } from '../../api/conditions.ts';
import { parseMeta, type RawObject } from '../../api/parse.ts';
import { cut } from '../../foreign-text.ts';
import { CERTIFICATE_KEY, REQUEST_KEY } from './csr-manifest.ts';

const DAY_MS = 86_400_000;
const CSR_FILE = 'request.pem';
const LONGEST_KEY = 60;

interface Place {
  readonly namespace: string;
  readonly name: string;
}

interface Waiting extends Place {
  /** SHA-256 of the CSR's text, in hex. */
  readonly digest: string;
  readonly instructions: string | undefined;
  /** Keys of the ConfigMap that nothing reads. */
  readonly unread: readonly string[];
  /** When what is to be replaced ends. */
  readonly ends: Date | undefined;
  /** What that is; by default a certificate. */
  readonly subject?: string;
}

/** What a person has to do, and by when. The same until the number of days changes. */
export function waitingText(
  { namespace, name, digest, instructions, unread, ends, subject = 'certificate' }: Waiting,
  now: Date,
): string {
  return [
    `${endText(subject, ends, now)}ConfigMap ${namespace}/${name} holds a CSR to be signed`,
    ...unreadText(unread),
    ...(instructions === undefined ? [] : [`: ${instructions}`]),
    `; fetch it (SHA-256 ${digest}): kubectl get configmap -n ${namespace} ${name} -o go-template='{{index .data "${REQUEST_KEY}"}}' > ${CSR_FILE}`,
    `; ${handInCommand({ namespace, name })}`,
  ].join('');
}

/** A chain in another form than PEM. */
export const BINARY_ANSWER =
  "the certificates can't be read: it is not text; write them in PEM: openssl x509 -inform DER -in FILE -out tls.crt";

function unreadText([first, ...more]: readonly string[]): readonly string[] {
  if (first === undefined) return [];
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return [` (its key ${cut(first, LONGEST_KEY)}${others} is not read; the chain belongs under ${CERTIFICATE_KEY})`];
}

/** What to do after a wrong answer. An immutable ConfigMap takes no other one. */
export function handInAgain(found: RawObject): string {
  const { namespace, name } = parseMeta(found);
  const command = handInCommand({ namespace, name });
  if (found.immutable !== true) return command;
  return `the ConfigMap is immutable, so delete it: kubectl delete configmap -n ${namespace} ${name}; it is created again with the same CSR, then ${command}`;
}

/** Server-side apply changes nothing else of the ConfigMap. */
export function handInCommand({ namespace, name }: Place): string {
  return `hand the chain in: kubectl create configmap -n ${namespace} ${name} --from-file=${CERTIFICATE_KEY} --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -`;
}

function endText(subject: string, ends: Date | undefined, now: Date): string {
  if (ends === undefined) return '';
  const leftMs = ends.getTime() - now.getTime();
  const at = toRfc3339(ends);
  if (leftMs <= 0) return `the present ${subject} ended at ${at}: `;
  const days = Math.floor(leftMs / DAY_MS);
  return `the present ${subject} ends in ${days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`}, at ${at}: `;
}
