import { ACME_ACCOUNT_OF_LABEL, CA_REQUEST_OF_LABEL } from '../api/names.ts';
import { type TextsSecret, textsSecret } from './texts-secret.ts';

/** What a kind of authority keeps beside it. */
interface StateSecret {
  readonly secret: TextsSecret;
  /** What it holds, for messages. */
  readonly what: string;
  /**
   * Whether it counts too where it was created elsewhere. Otherwise it must name its own uid: a user who may create Secrets could
   * have a CA get a key that this user knows.
   */
  readonly mayBeRestored: boolean;
}

/** Where the state of a backend of this type is kept. */
export function stateSecretOf(type: string): StateSecret {
  return type === 'selfManaged' ? CA_REQUEST : ACCOUNT;
}

const ACCOUNT = {
  secret: textsSecret({ suffix: 'acme-account', label: ACME_ACCOUNT_OF_LABEL }),
  what: 'the ACME account',
  mayBeRestored: true,
};
const CA_REQUEST = {
  secret: textsSecret({ suffix: 'request', label: CA_REQUEST_OF_LABEL }),
  what: 'the key of a CA that awaits its certificate',
  mayBeRestored: false,
};
