import type { Backend } from '../../src/backends/backend.ts';
import { ownCA } from '../../src/backends/shared/own-ca.ts';
import type { AuthorityView } from '../../src/certificate/authority-view.ts';
import type { Clock } from '../../src/clock.ts';
import type { Logger } from '../../src/log.ts';
import { bundleOf } from '../../src/pki/bundle.ts';
import { idOfChain } from '../../src/pki/ca.ts';
import { withoutRoot } from '../../src/pki/chain.ts';
import { type Holder, pairOf } from '../pki/make.ts';
import { after, anAuthority, DAY } from './builders.ts';

export const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface OwnAuthority {
  readonly view: AuthorityView;
  readonly backend: Backend;
}

/** An authority with these CAs, oldest first. All are trusted; the last one signs since `since`. */
export function anOwnAuthority(
  cas: readonly Holder[],
  clock: Clock,
  since = after(-10 * DAY),
  log = SILENT,
): OwnAuthority {
  const pairs = cas.map((each) => pairOf(each));
  const signing = pairs.at(-1);
  if (signing === undefined) throw new Error('an authority without a CA');
  const backend = ownCA({
    name: 'team/ca',
    clock,
    log,
    signing: () => ({ version: pairs.length, path: signing, signer: signing.signer }),
    trusted: () => pairs,
  });
  const view = anAuthority({
    trust: bundleOf(pairs.map(({ anchor }) => anchor)),
    generations: new Map(
      pairs.map((pair, index) => [
        pair.certificate.fingerprintSHA256,
        { version: index + 1, signs: index + 1 === pairs.length },
      ]),
    ),
    issuers: withoutRoot(signing.chain),
    signing: {
      version: pairs.length,
      since,
      notAfter: signing.certificate.notAfter,
      fingerprintSHA256: signing.certificate.fingerprintSHA256,
      issuersId: idOfChain(withoutRoot(signing.chain)),
      isSlow: false,
    },
  });
  return { view, backend };
}
