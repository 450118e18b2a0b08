import { CONFIG_MAPS, CSR_OF_LABEL } from '../../../src/api/names.ts';
import { parsePem } from '../../../src/pki/pem.ts';
import type { World } from '../support/world.ts';
import { handIn } from './csr-clerk.ts';
import type { Desk } from './forging-signer.ts';

/** Answers the CSRs in ConfigMaps as a person would, who may put another answer in place of a wrong one. */
export function csrMapDesk(world: World): Desk {
  return {
    resource: CONFIG_MAPS,
    selector: CSR_OF_LABEL,
    answersAgain: true,
    isReady: async () => true,
    csrIn: ({ data }) => parsePem(data?.['request.csr'] ?? '')[0]?.der ?? Buffer.alloc(0),
    answer: (object, pem) => handIn(world, object, { 'tls.crt': pem }),
  };
}
