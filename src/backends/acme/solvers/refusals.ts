import { RetryableError } from '../../../errors.ts';
import type { UpdateAnswer } from './dns/client.ts';
import { RCODE } from './dns/message.ts';
import { rcodeName } from './dns/zone.ts';

/** What an update was about. */
export interface UpdateContext {
  /** The server as the spec names it. */
  readonly server: string;
  readonly zone: string;
  /** The name of the record. */
  readonly name: string;
  readonly keyName: string;
  readonly algorithm: string;
  /** The Secret with the TSIG secret and its key, such as `key tsig of Secret dns`. */
  readonly secret: string;
  /** Seconds since 1970. */
  readonly now: number;
}

/**
 * Why a server refused an update, and what to do; undefined where it made it. What isn't signed is `unproven`: it may be of
 * any server.
 */
export function updateRefusal(answer: UpdateAnswer, context: UpdateContext): RetryableError | undefined {
  if (answer.rcode === RCODE.NOERROR && answer.tsigError === 0) return undefined;
  const why = tsigRefusal(answer, context) ?? rcodeRefusal(answer.rcode, context);
  return new RetryableError('ChallengeFailed', `${context.server}: ${why}`, { unproven: !answer.isSigned });
}

function tsigRefusal(answer: UpdateAnswer, { keyName, algorithm, secret, now }: UpdateContext): string | undefined {
  switch (answer.tsigError) {
    case 0:
      return undefined;
    case RCODE.BADKEY:
      return `it has no TSIG key ${keyName} with ${algorithm} (BADKEY); compare tsigKeyName and tsigAlgorithm with its configuration`;
    case RCODE.BADSIG:
      return `the secret of the TSIG key ${keyName} is another one there (BADSIG); ${secret} must hold that of its configuration, in base64`;
    case RCODE.BADTIME: {
      const ahead = answer.serverTime === undefined ? undefined : answer.serverTime - now;
      const by = ahead === undefined ? '' : ` by ${Math.abs(ahead)} s`;
      return `its clock differs from the controller's${by} (BADTIME); a TSIG allows 300 s: synchronise both with NTP`;
    }
    default:
      return `it refused the TSIG with ${rcodeName(answer.tsigError)}`;
  }
}

function rcodeRefusal(rcode: number, { zone, name, keyName }: UpdateContext): string {
  switch (rcode) {
    case RCODE.REFUSED:
      return `the TSIG key ${keyName} may not change TXT records of ${name} (REFUSED); in BIND, the zone ${zone} needs: update-policy { grant ${keyName} name ${name}. TXT; };`;
    case RCODE.NOTAUTH:
      return `it is not the primary server of the zone ${zone} (NOTAUTH); name that in nameserver, or the right zone in zone`;
    case RCODE.NOTZONE:
      return `${name} is not in the zone ${zone} (NOTZONE); correct zone, or leave it out`;
    case RCODE.NOTIMP:
      return 'it takes no updates (NOTIMP, RFC 2136); name another server in nameserver';
    case RCODE.SERVFAIL:
      return `it failed to change the zone ${zone} (SERVFAIL); see its log, often it may not write its journal`;
    case RCODE.FORMERR:
      return 'it did not understand the update (FORMERR)';
    default:
      return `the update of ${name} was answered ${rcodeName(rcode)}`;
  }
}
