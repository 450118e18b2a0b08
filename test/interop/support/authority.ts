import { randomBytes } from 'node:crypto';
import type { Identity } from '../../../src/api/client-certificate.ts';
import { ownCA } from '../../../src/backends/shared/own-ca.ts';
import { systemClock } from '../../../src/clock.ts';
import { encodePrivateKey, generateKey, type KeySpec, type PrivateKey, publicKeyDer } from '../../../src/pki/keys.ts';
import type { Subject } from '../../../src/pki/name.ts';
import { readCaPair } from '../../../src/pki/read-ca.ts';
import { type Names, NO_NAMES } from '../../../src/pki/san.ts';
import { HOUR, type Holder, P256, root, signIntermediate } from '../../pki/make.ts';
import { type ChainLength, keyName } from './cells.ts';
import { revocationList } from './revocation-list.ts';

/** The content of a Secret as Certwheel publishes it, all in PEM, and what its certificate says. */
export interface Credentials {
  /** The leaf, then its intermediates. */
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly commonName: string;
  /** Lower-case hex. */
  readonly serial: string;
}

export interface Wish {
  readonly key?: KeySpec;
  /** Unique unless given, so that an answer shows which certificate the server saw. */
  readonly subject?: Subject;
  readonly names?: Partial<Names>;
  /** `digital signature` and `client auth` unless given. */
  readonly usages?: readonly string[];
  /** From now on; negative: how long ago it expired. */
  readonly lifeMs?: number;
  /** Issued so much later than now, as by a CA whose clock is ahead. */
  readonly aheadMs?: number;
}

/** A CA that signs as an authority of the backend `secret` does. */
export interface Authority {
  /** Its root in PEM: what verifiers trust. */
  readonly ca: string;
  /** Its CAs with their keys, from the one that signs up to the root. */
  readonly holders: readonly Holder[];
  issue(wish?: Wish): Promise<Credentials>;
  /** The lists of all its CAs from the root down, in PEM, with these serial numbers in the last one. */
  revocationLists(serials?: readonly string[], state?: 'current' | 'expired'): readonly string[];
}

const DAY = 24 * HOUR;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
let issued = 0;

/**
 * An authority whose certificates come with `chain` - 1 intermediates. The CA pair is made by the tests' own writer, as an
 * operator brings it, with keys of the kind `caKey`; Certwheel reads and proves it as it does a Secret, and its own CA backend signs.
 */
export async function authority(
  chain: ChainLength = 2,
  commonName = 'Interop CA',
  caKey: KeySpec = P256,
): Promise<Authority> {
  const dates = { notBefore: new Date(Date.now() - 30 * DAY), notAfter: new Date(Date.now() + 30 * DAY) };
  const holders = [await root({ ...dates, commonName, keySpec: caKey })];
  for (let level = 1; level < chain; level++) {
    const above = holders[0];
    if (above === undefined) break;
    holders.unshift(
      await signIntermediate(above, { ...dates, commonName: `${commonName}, level ${level}`, keySpec: caKey }),
    );
  }
  const pem = holders.map(({ certificate }) => certificate.pem);
  const [signing] = holders;
  if (signing === undefined) throw new Error('no CA');
  const pair = await readCaPair(
    {
      place: 'Secret interop/ca',
      certificates: Buffer.from(pem.join('')),
      key: Buffer.from(encodePrivateKey(signing.key, 'PKCS8')),
    },
    new Date(),
  );
  const ca = pair.anchor.pem;

  return {
    ca,
    holders,
    revocationLists: (serials = [], state = 'current') =>
      holders.map((holder, at) => revocationList(holder, at === 0 ? serials : [], state)).reverse(),
    issue: async ({ key: spec = P256, subject, names = {}, usages, lifeMs = DAY, aheadMs = 0 } = {}) => {
      const commonName = subject?.commonName ?? `peer-${process.pid}-${++issued}`;
      const identity: Identity = {
        subject: { commonName, ...subject },
        names: { ...NO_NAMES, ...names },
        usages: usages ?? ['digital signature', 'client auth'],
      };
      // An expired certificate is one that was issued before: the clock is the only thing that differs.
      const now = new Date(Date.now() + aheadMs + (lifeMs > 0 ? 0 : lifeMs - DAY));
      const backend = ownCA({
        name: 'interop/ca',
        clock: { ...systemClock, now: () => now },
        log: SILENT,
        signing: () => ({ version: 1, path: pair, signer: pair.signer }),
        trusted: () => [pair],
      });
      const key = await keyOf(spec);
      const request = {
        id: randomBytes(8).toString('hex'),
        requester: { namespace: 'interop', name: commonName, uid: commonName },
        publicKey: publicKeyDer(key),
        csr: () => {
          throw new Error('our own CA needs no CSR');
        },
        identity,
        lifetimeMs: lifeMs > 0 ? lifeMs : DAY,
      };
      const { chain: certificates } = await backend.issue(request, AbortSignal.timeout(60_000));
      const [leaf] = certificates;
      if (leaf === undefined) throw new Error('no certificate was issued');
      return {
        // As in a Secret: the root isn't part of tls.crt.
        certificate:
          certificates
            .slice(0, -1)
            .map(({ pem }) => pem)
            .join('') || leaf.pem,
        key: encodePrivateKey(key, 'PKCS8'),
        ca,
        commonName,
        serial: leaf.serialNumber,
      };
    },
  };
}

const LARGE_KEYS = new Map<string, Promise<PrivateKey>>();

/** A new key, except that RSA keys, which take seconds to make, are made once for each size. */
function keyOf(spec: KeySpec): Promise<PrivateKey> {
  if (spec.algorithm !== 'RSA') return generateKey(spec);
  const name = keyName(spec);
  const key = LARGE_KEYS.get(name) ?? generateKey(spec);
  LARGE_KEYS.set(name, key);
  return key;
}

/** Of a server on this machine; Certwheel's certificates can be for both sides of a connection. */
export const SERVER: Pick<Required<Wish>, 'names' | 'usages'> = {
  names: { dnsNames: ['localhost', 'web.shop.svc'], ipAddresses: ['127.0.0.1'] },
  usages: ['digital signature', 'server auth', 'client auth'],
};
