import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the sealed entries of a ledger belong to: the same text proves nothing in another namespace or of another authority. */
export interface SealContext {
  /** The authority that issued, as `CertificateAuthority/name`: one of the same namespace, or of the cluster. */
  readonly authority: string;
  /** That of the ClientCertificates. */
  readonly namespace: string;
}

/** Proves that the controller wrote a text. */
export interface Seal {
  /** Whether there is a key. Without one nothing can be sealed, and what is sealed can't be proven. */
  readonly isKnown: boolean;
  /** 16 bytes of an HMAC with SHA-256, as base64url; undefined while no key is known. */
  sign(context: SealContext, text: string): string | undefined;
  verifies(context: SealContext, text: string, mac: string): boolean;
}

/** The seal for the Secrets of one namespace. */
export interface Sealing {
  readonly seal: Seal;
  readonly namespace: string;
}

/** Characters of a MAC: 16 bytes as base64url. */
export const MAC_LENGTH = 22;

/** The seal with a key of 32 bytes. It is asked for at each use, since it may become known later. */
export function sealWith(keyOf: () => Buffer | undefined): Seal {
  return {
    get isKnown() {
      return keyOf() !== undefined;
    },
    sign: (context, text) => {
      const key = keyOf();
      return key && macOf(key, context, text);
    },
    verifies: (context, text, mac) => {
      const key = keyOf();
      if (key === undefined || mac.length !== MAC_LENGTH) return false;
      return timingSafeEqual(Buffer.from(macOf(key, context, text), 'latin1'), Buffer.from(mac, 'latin1'));
    },
  };
}

/** The name of neither an authority nor a namespace holds a line break, so no two contexts and texts are the same message. */
function macOf(key: Buffer, { authority, namespace }: SealContext, text: string): string {
  const message = `${authority}\n${namespace}\n${text}`;
  return createHmac('sha256', key).update(message).digest().subarray(0, 16).toString('base64url');
}
