import { createHash, X509Certificate } from 'node:crypto';
import type { RawObject } from '../../src/api/parse.ts';

/**
 * What a workload finds in the folder where its Secret is mounted. A kubelet swaps all files at once, so these are
 * always of one version of the Secret: a certificate beside the key of the next one would fit nowhere.
 */
export interface Mounted {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly serial: string;
  /** Tells whether two certificates share a key. */
  readonly publicKeyHash: string;
  readonly notAfter: Date;
  readonly arrivedAt: Date;
}

export function mounted(secret: RawObject): Mounted {
  const file = (name: string) => Buffer.from(secret.data?.[name] ?? '', 'base64').toString();
  const cert = file('tls.crt');
  const leaf = new X509Certificate(cert);
  return {
    cert,
    key: file('tls.key'),
    ca: file('ca.crt'),
    serial: leaf.serialNumber.toLowerCase(),
    publicKeyHash: createHash('sha256')
      .update(leaf.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex'),
    notAfter: leaf.validToDate,
    arrivedAt: new Date(),
  };
}
