import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { RawObject } from '../../../src/api/parse.ts';
import { openssl, withFiles } from './openssl.ts';

/** Why a Secret's key, certificate and CA don't belong together, as node:crypto sees it; undefined where they do. */
export function faultOf(secret: RawObject): string | undefined {
  const [leaf, ...intermediates] = certificatesOf(textOf(secret, 'tls.crt'));
  const anchors = certificatesOf(textOf(secret, 'ca.crt'));
  if (leaf === undefined) return 'tls.crt holds no certificate';
  if (!leaf.checkPrivateKey(createPrivateKey(textOf(secret, 'tls.key'))))
    return 'the key is not that of the certificate';
  let tip = leaf;
  for (;;) {
    if (anchors.some((anchor) => issued(anchor, tip))) return undefined;
    const next = intermediates.find((each) => each !== tip && issued(each, tip));
    if (next === undefined) return 'the certificate does not lead to ca.crt';
    tip = next;
  }
}

/** Throws what openssl has to say, unless a TLS server that trusts ca.crt would take the certificate from a client. */
export async function opensslAccepts(secret: RawObject): Promise<void> {
  const [leaf = '', ...intermediates] = blocksOf(textOf(secret, 'tls.crt'));
  const files = {
    'leaf.pem': leaf,
    'untrusted.pem': intermediates.join('\n'),
    'ca.crt': textOf(secret, 'ca.crt'),
    'tls.key': textOf(secret, 'tls.key'),
  };
  await withFiles(files, async (folder) => {
    const untrusted = intermediates.length === 0 ? [] : ['-untrusted', 'untrusted.pem'];
    await openssl(
      folder,
      'verify',
      '-purpose',
      'sslclient',
      '-x509_strict',
      '-CAfile',
      'ca.crt',
      ...untrusted,
      'leaf.pem',
    );
    const [ofKey, ofLeaf] = await Promise.all([
      openssl(folder, 'pkey', '-in', 'tls.key', '-pubout'),
      openssl(folder, 'x509', '-in', 'leaf.pem', '-noout', '-pubkey'),
    ]);
    if (ofKey !== ofLeaf) throw new Error('openssl finds another public key in tls.key than in tls.crt');
  });
}

/** What openssl prints about the key of a Secret. */
export async function describeKey(secret: RawObject): Promise<string> {
  return withFiles({ 'tls.key': textOf(secret, 'tls.key') }, (folder) =>
    openssl(folder, 'pkey', '-in', 'tls.key', '-noout', '-text_pub', '-check'),
  );
}

export function textOf(secret: RawObject, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
}

function issued(ca: X509Certificate, subject: X509Certificate): boolean {
  return subject.checkIssued(ca) && subject.verify(ca.publicKey);
}

function certificatesOf(pem: string): X509Certificate[] {
  return blocksOf(pem).map((block) => new X509Certificate(block));
}

function blocksOf(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
