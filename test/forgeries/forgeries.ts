/** The wrong answers of a CA, for any backend: what is answered in place of a right chain, and what Certwheel says of it. */

import { WRONG_BYTES, WRONG_CHAIN, WRONG_ISSUER } from './forged-chains.ts';
import { WRONG_CONSTRAINTS } from './forged-constraints.ts';
import { WRONG_IDENTITY, WRONG_LIFE, WRONG_POWERS } from './forged-leaves.ts';
import { but, type Forge, type Forgeries } from './forgery.ts';
import { inHours, namesake } from './forging.ts';

export const FORGERIES: Forgeries = {
  ...WRONG_IDENTITY,
  ...WRONG_POWERS,
  ...WRONG_LIFE,
  ...WRONG_ISSUER,
  ...WRONG_CONSTRAINTS,
  ...WRONG_CHAIN,
  ...WRONG_BYTES,
};

/** What is no lie, though it isn't what was expected either. */
export const ODDITIES: Readonly<Record<string, Forge>> = {
  'a shorter life than asked for': but(() => ({ notAfter: inHours(1 / 3) })),
  'one that begins in five seconds': but(() => ({ notBefore: inHours(5 / 3_600) })),
  'a chain out of order': ({ leaf, root, intermediate }) => [leaf.pem, root.pem, intermediate.pem, leaf.pem],
  'a namesake of its issuer that leads nowhere': (honest) => [
    honest.leaf.pem,
    namesake(honest),
    honest.intermediate.pem,
  ],
};
