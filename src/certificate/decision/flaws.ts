import { isAuthority, trustedAuthority } from '../authority-view.ts';
import type { Observed } from '../observed.ts';
import { brief, briefly } from '../secret/brief.ts';
import { templateKeys } from '../secret/manifest.ts';
import { outputsDigest } from '../secret/outputs.ts';
import { tagOf } from '../secret/store-passwords.ts';
import { leadsTo } from './needs.ts';

// Each answers what is wrong with a Secret whose certificate is good, as a sentence.

export function isStoredOtherwise({ recent, secret }: Observed): string | undefined {
  const isLastWrite = secret !== undefined && secret.resourceVersion === recent?.written?.resourceVersion;
  return recent?.altered === undefined || !isLastWrite
    ? undefined
    : `${recent.altered} is stored otherwise than it was sent`;
}

export function isNotMarked(seen: Observed): string | undefined {
  if (seen.ours === undefined) return 'adopted';
  const { authority, issuedAt, revision } = seen.ours.memory;
  return authority === undefined || issuedAt === undefined || revision === 0
    ? 'its annotations were damaged'
    : undefined;
}

export function trustHasChanged(seen: Observed): string | undefined {
  const authority = trustedAuthority(seen);
  const { secret, held } = seen;
  if (authority === undefined || authority.trust.pem === '') return undefined;
  // A bundle to which the certificate doesn't lead would make the Secret unusable; there a new certificate is needed.
  if (held !== undefined && !leadsTo(held, authority)) return undefined;
  return secret?.trustBundleHash === authority.trust.hash ? undefined : 'the trust bundle has changed';
}

export function chainIsAnother({ authority, held }: Observed): string | undefined {
  if (held === undefined || !isAuthority(authority) || authority.signing === undefined) return undefined;
  const { fingerprintSHA256, issuersId } = authority.signing;
  if (held.issuerFingerprint !== fingerprintSHA256 || held.issuersId === issuersId) return undefined;
  return 'tls.crt does not hold the CA certificates that lead from the leaf to the root';
}

export function outputsAreOthers({ resource, secret, held, storePasswords }: Observed): string | undefined {
  const { keyEncoding } = resource.spec;
  if (secret === undefined || held === undefined) return undefined;
  // There is one encoding of an Ed25519 key; where another kind is asked for, that takes a new certificate.
  const isEncoded = held.keyEncoding !== undefined && held.key?.algorithm !== 'Ed25519';
  if (isEncoded && held.keyEncoding !== keyEncoding) return `its private key is not written in ${keyEncoding}`;
  if (secret.memory.outputs !== outputsDigest(resource.spec, tagOf(storePasswords)))
    return 'its data is not what the spec asks for';
  return secret.areFilesWhole ? undefined : 'a file beside tls.crt, tls.key and ca.crt has been changed';
}

export function differsFromTemplate({ resource, secret }: Observed): string | undefined {
  if (secret === undefined) return undefined;
  const { secretLabels, secretAnnotations } = resource.spec;
  const intact =
    contains(secret.labels, briefly(secretLabels)) &&
    contains(secret.annotations, briefly(secretAnnotations)) &&
    secret.memory.templateKeys === brief(templateKeys(resource));
  return intact ? undefined : 'its labels or annotations are not those of spec.secretTemplate';
}

export function ownerReferenceIsWrong({ resource, secret }: Observed): string | undefined {
  const wanted = resource.spec.deletionPolicy === 'Delete';
  return secret?.ownerReferences.includes(resource.uid) === wanted
    ? undefined
    : `its owner reference does not fit deletionPolicy ${resource.spec.deletionPolicy}`;
}

function contains(entries: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => entries[key] === value);
}
