import { messageOf } from '../../thrown.ts';
import { type PrivateKey, readPrivateKey, UNREADABLE_KEY } from '../keys.ts';
import { toPem } from '../pem.ts';
import { NOUNS } from './binary.ts';
import { COPY_AGAIN, FROM_FILES } from './block-findings.ts';
import { decodeBlock, isEncrypted } from './decode.ts';
import { type DerKind, derKind, EC_OID, keyAlgorithm } from './der-kind.ts';
import { type Finding, mendedBy, Refusal } from './error.ts';
import { encryptedKey, encryptedUnderPlainLabel, isPrivateKeyLabel, notAKey, opensshKey } from './labels.ts';
import type { TextBlock } from './scan.ts';

/** The one private key among the blocks, at least one. Throws a Refusal. */
export function readKeyBlocks(blocks: readonly TextBlock[]): { key: PrivateKey; pem: string } {
  const [block, second] = blocks.filter(({ label }) => isPrivateKeyLabel(label));
  if (block === undefined) throw new Refusal(notAKey(blocks[0]?.label ?? ''), blocks[0]?.number);
  if (second !== undefined) throw new Refusal(SECOND_KEY, second.number);
  if (block.label === 'ENCRYPTED PRIVATE KEY' || isEncrypted(block)) throw new Refusal(encryptedKey(), block.number);
  const der = decodeBlock(block, 'key');
  if (block.label === 'OPENSSH PRIVATE KEY') throw new Refusal(opensshKey(der), block.number);
  const kind = derKind(der);
  // The content decides: a label that belongs to another encoding is a frequent slip and leaves no doubt about the key.
  const label = kind && Object.hasOwn(LABELS, kind) ? LABELS[kind] : undefined;
  if (label === undefined) throw new Refusal(contentFinding(kind), block.number);
  const problem = algorithmProblem(der, kind);
  if (problem !== undefined) throw new Refusal(problem, block.number);
  return { key: keyOf(label, der, block.number), pem: toPem(label, der) };
}

const LABELS: Partial<Readonly<Record<DerKind, string>>> = {
  'PKCS#8': 'PRIVATE KEY',
  'PKCS#1': 'RSA PRIVATE KEY',
  'SEC 1': 'EC PRIVATE KEY',
};

const SECOND_KEY = mendedBy(
  'a second private key',
  'if the first one is that of the CA, keep it alone',
  'ca.txt',
  'openssl pkey -in ca.txt -out ca.key',
  'UnreadableKey',
);

function keyOf(label: string, der: Buffer, number: number): PrivateKey {
  try {
    return readPrivateKey({ label, der });
  } catch (error) {
    // These messages name kinds and sizes, and nothing of the key.
    const reason = messageOf(error);
    throw new Refusal(
      reason === UNREADABLE_KEY ? DAMAGED : unusable(`a private key of no use here: ${reason}`),
      number,
    );
  }
}

function contentFinding(kind: DerKind | undefined): Finding {
  if (kind === undefined) return DAMAGED;
  if (kind === 'encrypted PKCS#8') return encryptedUnderPlainLabel();
  if (kind === 'DSA') return unusable(`a DSA key; ${SUPPORTED_KINDS}`);
  return { flaw: 'NoKey', what: `${NOUNS[kind]}, not a private key`, remedy: FROM_FILES };
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  '2a864886f70d01010a': 'an RSA-PSS key',
  '2a8648ce380401': 'a DSA key',
  '2a864886f70d010301': 'a Diffie-Hellman key',
  '2a8648ce3e0201': 'a Diffie-Hellman key',
  '2b656e': 'an X25519 key',
  '2b656f': 'an X448 key',
  '2b6571': 'an Ed448 key',
};
const SUPPORTED_KINDS = 'RSA, ECDSA and Ed25519 are supported';
const SUPPORTED = new Set(['2a864886f70d010101', EC_OID, '2b6570']);

/** Names what `readPrivateKey` would refuse without a name, and what a command can put right. */
function algorithmProblem(der: Buffer, kind: DerKind | undefined): Finding | undefined {
  if (kind !== 'PKCS#8' && kind !== 'SEC 1') return undefined;
  const algorithm = keyAlgorithm(der, kind);
  if (algorithm === undefined || !SUPPORTED.has(algorithm.oid)) {
    const name = algorithm && Object.hasOwn(ALGORITHMS, algorithm.oid) ? ALGORITHMS[algorithm.oid] : undefined;
    return unusable(`${name ?? 'a key of an unknown kind'}; ${SUPPORTED_KINDS}`);
  }
  if (!algorithm.explicitCurve) return undefined;
  const command = 'openssl ec -in ca.txt -param_enc named_curve -out ca.key';
  return mendedBy('an EC key with explicit curve parameters', 'name the curve', 'ca.txt', command, 'UnreadableKey');
}

function unusable(what: string): Finding {
  return { flaw: 'UnreadableKey', what, remedy: NEW_CA };
}

const DAMAGED: Finding = {
  flaw: 'UnreadableKey',
  what: 'a private key that is damaged',
  remedy: `check the file by "openssl pkey -in ca.key -noout -check", and ${COPY_AGAIN}`,
};

const NEW_CA =
  'make a new CA with: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key ' +
  '-out ca.crt -days 3650 -subj /CN=ca -addext keyUsage=critical,keyCertSign,cRLSign';
