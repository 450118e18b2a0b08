import { hash } from 'node:crypto';
import { earliest } from '../api/moments.ts';
import type { Clock } from '../clock.ts';
import { signsAlike } from '../pki/ca.ts';
import { isMarkedSerial } from '../pki/marked-serial.ts';
import { type CertId, isOfIssuer, type OcspRequest, readOcspRequest } from '../pki/ocsp-request.ts';
import { type CertStatus, type OCSP_FAILURES, ocspFailure, signOcspResponse } from '../pki/ocsp-response.ts';
import type { CrlView } from '../pki/read-crl.ts';
import { RecentlyUsed } from '../recently-used.ts';
import type { OcspKey } from '../revocation/crl/ocsp-files.ts';
import type { KeyFolder } from './keys.ts';
import type { CrlLists } from './lists.ts';

/** An OCSPResponse (DER), and how long caches may keep it; undefined for not at all. */
export interface OcspReply {
  readonly der: Buffer;
  readonly cached: { readonly from: Date; readonly until: Date; readonly etag: string } | undefined;
}

/** What is revoked meanwhile is seen by all clients within this time. */
const ANSWER_LIFE_MS = 60 * 60_000;
/** So long an answer is given again; clients that get it last have half of its life. */
const ANSWERED_AGAIN_MS = ANSWER_LIFE_MS / 2;
/** For clients whose clocks are behind. */
const BACKDATED_MS = 60_000;
/** An answer has about 1 KiB: 16 MiB at most. */
const ANSWERS = { most: 16_384, mostWeight: 16 * 2 ** 20 };

interface Known {
  readonly key: OcspKey;
  readonly crl: CrlView;
}

/** Answers OCSP requests (RFC 6960) by the CRLs, and by the marks of serial numbers. */
export class OcspAnswers {
  readonly #lists: Pick<CrlLists, 'find'>;
  readonly #keys: KeyFolder;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #answers = new RecentlyUsed<OcspReply>(ANSWERS);

  constructor(lists: Pick<CrlLists, 'find'>, keys: KeyFolder, clock: Pick<Clock, 'now'>) {
    this.#lists = lists;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Answers any bytes; `place` as placeKey has it. Never throws for what a client has sent. */
  async answer(place: string, der: Buffer): Promise<OcspReply> {
    const request = read(der);
    if (request === undefined) return failure('malformedRequest');
    const key = this.#keys.find(place);
    const list = this.#lists.find(place);
    if (key === undefined && list === undefined) return failure('unauthorized');
    const now = this.#clock.now();
    const isUsable =
      key !== undefined &&
      list !== undefined &&
      list.crl.nextUpdate > now &&
      key.certificate.notAfter > now &&
      // Who may write ConfigMaps can't make good what is revoked: the CA of the key must have signed the list.
      signsAlike(list.ca, key.ca);
    if (!isUsable) return failure('tryLater');
    // RFC 6960 section 2.3: of a CA that it doesn't answer for it says nothing, not even that a certificate is unknown.
    if (!request.certificates.some((id) => isOfIssuer(id, key.ca))) return failure('unauthorized');
    return this.#signed(place, request, { key, crl: list.crl }, now);
  }

  async #signed(place: string, { certificates, nonce }: OcspRequest, known: Known, now: Date): Promise<OcspReply> {
    const { key, crl } = known;
    const asked = [
      place,
      crl.number,
      key.certificate.serialNumber,
      ...certificates.map(({ der }) => der.toString('base64')),
    ];
    const id = nonce === undefined ? asked.join(' ') : undefined;
    const former = id === undefined ? undefined : this.#answers.get(id);
    if (former?.cached !== undefined && isFresh(former.cached, now)) return former;
    const nextUpdate =
      earliest([new Date(now.getTime() + ANSWER_LIFE_MS), crl.nextUpdate, key.certificate.notAfter]) ?? now;
    const from = new Date(now.getTime() - BACKDATED_MS);
    const der = await signOcspResponse({
      answers: certificates.map((each) => ({ id: each, status: statusOf(each, known) })),
      responder: key,
      thisUpdate: from,
      nextUpdate,
      producedAt: now,
      nonce,
    });
    if (id === undefined) return { der, cached: undefined };
    const reply = { der, cached: { from, until: nextUpdate, etag: hash('sha256', der, 'hex') } };
    this.#answers.set(id, reply, der.length + 2 * id.length);
    return reply;
  }
}

function isFresh({ from, until }: NonNullable<OcspReply['cached']>, now: Date): boolean {
  const ageMs = now.getTime() - from.getTime() - BACKDATED_MS;
  return ageMs >= 0 && ageMs < ANSWERED_AGAIN_MS && until.getTime() - now.getTime() > BACKDATED_MS;
}

/** Whoever forges a certificate of the CA chooses a serial number that was never issued, which must not be good. */
function statusOf(id: CertId, { key: { ca, serialKey }, crl }: Known): CertStatus {
  if (!isOfIssuer(id, ca)) return { is: 'unknown' };
  const listed = crl.find(id.serialNumber);
  if (listed !== undefined) return { is: 'revoked', at: listed.revokedAt, reasonCode: listed.reasonCode };
  return isMarkedSerial(id.serialNumber, ca, serialKey) ? { is: 'good' } : { is: 'unknown' };
}

function read(der: Buffer): OcspRequest | undefined {
  try {
    return readOcspRequest(der);
  } catch {
    return undefined;
  }
}

function failure(kind: keyof typeof OCSP_FAILURES): OcspReply {
  return { der: ocspFailure(kind), cached: undefined };
}
