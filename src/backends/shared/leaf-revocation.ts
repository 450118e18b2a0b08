import { randomBytes } from 'node:crypto';
import { AuthorityError } from '../../errors.ts';
import type { CaPath } from '../../pki/ca.ts';
import { crlDistributionPoints, maySignCrls } from '../../pki/crl.ts';
import { ocspAccess } from '../../pki/info-access.ts';
import { newSerialNumber } from '../../pki/issue.ts';
import { markedSerial } from '../../pki/marked-serial.ts';
import { ocspProblem } from '../../pki/ocsp-delegation.ts';

/** Where verifiers ask about the revocation of the leaves of an authority. */
export interface LeafRevocation {
  /** Of the authority. */
  readonly uid: string;
  /** Of spec.revocation. */
  readonly url: string;
  /** See markedSerial; undefined while it is not known. */
  serialKey(): Buffer | undefined;
}

interface LeafPointers {
  readonly serialNumber: Buffer;
  readonly extensions: readonly Buffer[];
}

/**
 * The serial number of the next leaf, and the extensions that say where its revocation is looked up: at the responder, below the
 * uid of the authority and the version of the generation. Verifiers refuse a leaf that names what can't be had, so it names what
 * this CA may sign. Throws an AuthorityError for a URL that can't be written.
 */
export function leafRevocation(given: LeafRevocation | undefined, version: number, path: CaPath): LeafPointers {
  if (given === undefined || !maySignCrls(path.certificate)) return plain([]);
  const base = asciiUrl(given.url);
  const crl = crlDistributionPoints(`${base}/crl/${given.uid}/v${version}.crl`);
  const key = given.serialKey();
  // A responder answers "unknown" to a serial number without a mark.
  if (key === undefined || ocspProblem(path) !== undefined) return plain([crl]);
  const extensions = [ocspAccess(`${base}/ocsp/${given.uid}/v${version}`), crl];
  return { serialNumber: markedSerial(randomBytes(12), path.certificate, key), extensions };
}

function plain(extensions: readonly Buffer[]): LeafPointers {
  return { serialNumber: newSerialNumber(randomBytes(16)), extensions };
}

/** RFC 5280 section 4.2.1.6: a URI is ASCII, so that a name in other letters is written as DNS has it. */
function asciiUrl(url: string): string {
  if (!URL.canParse(url))
    throw new AuthorityError(
      'AuthorityMisconfigured',
      `spec.revocation.url ${url} is no URL; write one like http://crl.example.com`,
    );
  return new URL(url).href.replace(/\/+$/, '');
}
