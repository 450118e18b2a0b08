/** Clients that make their private key themselves, with the openssl command line. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { CONFIG_MAPS, resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { openssl, opensslVerify, withFiles } from './openssl.ts';
import { plainApi } from './plain-api.ts';
import { textOf } from './secret-proof.ts';
import type { World } from './world.ts';

/** A private key that stays with the client, and the request that it sends. */
export interface ClientKey {
  readonly key: string;
  readonly csr: string;
}

interface Wish {
  /** As openssl takes it, such as `/O=shop/CN=partner`. */
  readonly subject?: string;
  /** A section of openssl's configuration for each line, such as `subjectAltName = DNS:a.example`. */
  readonly extensions?: readonly string[];
  readonly keyKind?: readonly string[];
  /** A key to ask with again. */
  readonly key?: string;
  readonly digest?: string;
}

const P256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** As a client makes both: the key never reaches the cluster. */
export async function clientKey(wish: Wish = {}): Promise<ClientKey> {
  const { subject = '/CN=client', extensions = [], keyKind = P256, digest = 'sha256' } = wish;
  const key = wish.key ?? (await openssl('.', 'genpkey', ...keyKind));
  const config = `[req]\ndistinguished_name = name\nreq_extensions = asked\n[name]\n[asked]\n${extensions.join('\n')}\n`;
  const csr = await withFiles({ 'client.key': key, 'client.cnf': config }, (folder) =>
    openssl(folder, 'req', '-new', `-${digest}`, '-key', 'client.key', '-subj', subject, '-config', 'client.cnf'),
  );
  return { key, csr };
}

/** The same request with its last byte, which belongs to the signature, changed. */
export function forged({ csr }: ClientKey): string {
  const [, body = ''] = /-----BEGIN CERTIFICATE REQUEST-----([^-]*)-----END/.exec(csr) ?? [];
  const der = Buffer.from(body, 'base64');
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** Puts a request into a ConfigMap, or another one in its place. */
export function putCsr({ cluster }: World, namespace: string, name: string, csr: string): Promise<RawObject> {
  const path = `${resourcePath(CONFIG_MAPS, namespace, name)}?fieldManager=partner&force=true`;
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { 'client.csr': csr } };
  return plainApi(cluster).send('PATCH', path, object, 'application/apply-patch+yaml');
}

/** Where `putCsr` puts it. */
export function csrIn(name: string) {
  return { configMapKeyRef: { name, key: 'client.csr' } };
}

/**
 * Throws unless the Secret goes with that key and holds none: openssl verifies the chain as a TLS server would, and the
 * public keys are the same.
 */
export async function goesWith(secret: RawObject, { key }: Pick<ClientKey, 'key'>): Promise<X509Certificate> {
  await opensslVerify(textOf(secret, 'tls.crt'), textOf(secret, 'ca.crt'));
  if (secret.type !== 'Opaque') throw new Error(`the Secret has the type ${secret.type}`);
  if ('tls.key' in (secret.data ?? {})) throw new Error('the Secret has a tls.key');
  const leaf = new X509Certificate(textOf(secret, 'tls.crt'));
  const [ofLeaf, ofKey] = [leaf.publicKey, createPublicKey(key)].map((each) =>
    each.export({ type: 'spki', format: 'pem' }),
  );
  if (ofLeaf !== ofKey) throw new Error('the certificate is over another key than that of the client');
  return leaf;
}
