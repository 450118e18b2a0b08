import { REVOCATIONS_OF_LABEL } from '../api/books-names.ts';
import type { CertificateAuthority } from '../api/certificate-authority.ts';
import type { RawObject } from '../api/parse.ts';
import { namesItself, readTexts, textsSecret, withOwnUid } from '../authority/texts-secret.ts';
import { type Register, readRegister, writeRegister } from './register.ts';

type Owner = Pick<CertificateAuthority, 'kind' | 'name'>;

/** Where the register of an authority is kept. */
export const REGISTER_SECRET = textsSecret({ suffix: 'revocations', label: REVOCATIONS_OF_LABEL });

const KEY = 'register';
const ADOPT = 'certwheel.io/adopt';

/**
 * The register that a Secret keeps; empty in one that was just created. Throws an Error for a Secret that Certwheel has not
 * written here, by which another could have certificates revoked: one that was restored from a backup a person hands over
 * by its uid, which nobody knows who creates it.
 */
export function readRegisterSecret(object: RawObject): Register {
  const texts = readTexts(object);
  const { namespace = '', name = '', uid = '', annotations } = object.metadata ?? {};
  if (texts.size > 0 && !namesItself(object) && annotations?.[ADOPT] !== uid)
    throw new Error(
      `Secret ${namespace}/${name} was not written by Certwheel in this cluster; if it comes from your backup, hand it over: kubectl annotate secret -n ${namespace} ${name} ${ADOPT}=${uid}; otherwise delete it`,
    );
  return readRegister(texts.get(KEY) ?? '');
}

/** The Secret as it is applied, on the condition that it still is `current`. */
export function registerManifest(owner: Owner, namespace: string, register: Register, current: RawObject) {
  const texts = new Map([[KEY, writeRegister(register)]]);
  return REGISTER_SECRET.manifest(owner, namespace, withOwnUid(texts, current), current);
}
