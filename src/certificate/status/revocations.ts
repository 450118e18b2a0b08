import type { ClientCertificate } from '../../api/client-certificate.ts';
import type { NewCondition } from '../../api/conditions.ts';
import type { CertificateRevocation } from '../../api/generated/types.ts';
import { readable } from '../../foreign-text.ts';
import type { Observed } from '../observed.ts';
import { askedToRevoke, unknownSerials } from '../revocation/asked.ts';
import { ownCertificates } from '../revocation/own-certificates.ts';

const NOT_ITS_OWN =
  'it is none of the valid certificates that were issued for this ClientCertificate; where its resource is gone, name it in spec.revocation.serials of the authority';
const NO_KEY =
  "Certwheel has no key for its books, so it can't prove whose certificate that is; its log says what to do";

const MOST = 16;
const LONGEST_MESSAGE = 1_024;

/** Why a certificate is Ready and a wish of a person to revoke is not honoured. */
const REVOKE_INVALID = 'RevokeInvalid';

/** What became of what the annotations ask to revoke; undefined where they ask for nothing. */
export function revocationsOf(seen: Observed, now: Date): CertificateRevocation[] | undefined {
  const { resource, held, revocations } = seen;
  if (resource.revoke === undefined) return undefined;
  const own = ownCertificates(seen);
  const asked = askedToRevoke(resource.revoke, own, now).map(
    ({ entry: { serialNumber, sealedFor } }): CertificateRevocation => {
      const revocation = revocations?.(sealedFor);
      const known = revocation?.stateOf(serialNumber);
      if (known !== undefined) return { serialNumber, state: known.state, ...saying(known.message) };
      if (revocation?.unable !== undefined) return { serialNumber, state: 'Refused', ...saying(revocation.unable) };
      return { serialNumber, state: serialNumber === held?.serialNumber ? 'Replacing' : 'Owed' };
    },
  );
  const unknown = unknownSerials(resource.revoke, own).map((serialNumber): CertificateRevocation => {
    return { serialNumber, state: 'Refused', message: seen.seal?.isKnown === false ? NO_KEY : NOT_ITS_OWN };
  });
  const all = [...asked, ...unknown].slice(0, MOST);
  return all.length === 0 ? undefined : all;
}

function saying(message: string | undefined): Pick<CertificateRevocation, 'message'> {
  return message === undefined ? {} : { message: readable(message, LONGEST_MESSAGE) };
}

/** Adds to `ready` that an annotation that asks to revoke can't be read. */
export function withUnreadRevoke(ready: NewCondition, { revoke }: ClientCertificate): NewCondition {
  if (revoke?.unread === undefined) return ready;
  const reason = ready.reason === 'Issued' ? REVOKE_INVALID : ready.reason;
  return { ...ready, reason, message: readable(`${ready.message}; ignored: ${revoke.unread}`, LONGEST_MESSAGE) };
}
