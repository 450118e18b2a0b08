import type { AuthorityDeps } from '../../src/authority/deps.ts';
import { Buckets } from '../../src/queue/bucket.ts';
import { NO_REVOCATIONS } from '../../src/revocation/status.ts';

/** An authority without a ledger, revocations, fallbacks and verifiers, whose certificates owe no proof, and whose watch is never behind. */
export function bareAuthorityDeps(): Pick<
  AuthorityDeps,
  'readAuthority' | 'prove' | 'statusWrites' | 'verifiers' | 'ledgers' | 'revocations' | 'fallbacks' | 'fallbackOf'
> {
  return {
    readAuthority: async () => {},
    prove: async () => {},
    statusWrites: new Buckets({ capacity: 20, refillMs: 2_000 }),
    verifiers: () => [],
    ledgers: { write: async () => undefined, forget: () => {} },
    revocations: {
      learn: async () => {},
      follow: async () => undefined,
      look: async () => NO_REVOCATIONS,
      forget: () => {},
    },
    fallbacks: {
      look: async () => undefined,
      follow: async () => undefined,
      forget: () => {},
      problemOf: () => undefined,
    },
    fallbackOf: () => undefined,
  };
}
