import * as names from '../../api/books-names.ts';
import { authorityKey, type CertificateAuthority } from '../../api/certificate-authority.ts';
import { earliest } from '../../api/moments.ts';
import type { RawObject } from '../../api/parse.ts';
import type { Audit } from '../../audit/event.ts';
import type { Clock } from '../../clock.ts';
import { AuthorityError } from '../../errors.ts';
import { CREATE_ONLY } from '../../kube/object.ts';
import type { Ownership } from '../../ownership.ts';
import { OCSP_IDENTITY, ocspProblem } from '../../pki/ocsp-delegation.ts';
import { type OcspKey, ocspData, ocspStem, parseOcspName, readOcspKey } from './ocsp-files.ts';
import { makeOcspKey, type OcspSigning, ocspKeyDue } from './ocsp-signer.ts';
import type { SigningGeneration } from './signing-generations.ts';

const READ_AGAIN_MS = 5 * 60_000;
const TRY_AGAIN_MS = 30_000;
const NO_SERIAL_KEY =
  'there is no OCSP responder while the key in Secret certwheel-books of the namespace of the controller is not known';

/** Access to the Secret with the keys for OCSP answers. Failures are ApiErrors. */
export interface ResponderSecret {
  readonly namespace: string;
  read(): Promise<RawObject | undefined>;
  /** Throws a RetryableError where it is stored otherwise. */
  apply(manifest: ReturnType<typeof manifestOf>): Promise<RawObject>;
}

interface OcspKeysDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly ownership: Ownership;
  /** Undefined where no audit log is kept. */
  readonly audit?: Audit | undefined;
  readonly secret: ResponderSecret;
  /** See markedSerial; of the authority of that uid. Undefined while it is not known. */
  serialKey(uid: string): Buffer | undefined;
}

interface Kept {
  readonly data: Readonly<Record<string, Buffer>>;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

/** The keys by which the responder signs OCSP answers: one for each CA generation, all in one Secret that the responder mounts. */
export class OcspKeys {
  readonly #deps: OcspKeysDeps;
  #kept: (Kept & { readonly readAt: Date }) | undefined;
  /** One write at a time: each holds the keys of all authorities. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: OcspKeysDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the keys that are due. Answers why verifiers would refuse answers for a generation, and when to look again. Throws what
   * the signer throws, and an ApiError 409 where another writer was first.
   */
  look(
    resource: CertificateAuthority,
    generations: readonly SigningGeneration[],
  ): Promise<{ readonly problems: readonly string[]; readonly recheckAt: Date | undefined }> {
    return this.#inTurn(() => this.#look(resource, generations));
  }

  /** The authority is gone: its keys go too. Throws an ApiError. */
  withdraw(uid: string): Promise<void> {
    return this.#inTurn(async () => {
      const kept = await this.#read();
      const data = without(kept.data, uid, new Set());
      if (Object.keys(data).length < Object.keys(kept.data).length) await this.#write(data, kept);
    });
  }

  async #look(resource: CertificateAuthority, generations: readonly SigningGeneration[]) {
    const { clock, ownership, serialKey } = this.#deps;
    const { uid, revocation } = resource;
    const now = clock.now();
    const kept = this.#kept !== undefined && isFresh(this.#kept.readAt, now) ? this.#kept : await this.#read();
    const markedBy = serialKey(uid);
    // Without it every certificate would be unknown.
    if (markedBy === undefined) return { problems: [NO_SERIAL_KEY], recheckAt: new Date(now.getTime() + TRY_AGAIN_MS) };
    const made: Record<string, Buffer> = {};
    const problems: string[] = [];
    const stems = new Set<string>();
    const moments: Date[] = [];
    for (const { generation, signer } of generations) {
      const { version, path } = generation;
      const problem = ocspProblem(path);
      if (problem !== undefined) {
        problems.push(`CA generation ${version} can't have an OCSP responder: ${problem}`);
        continue;
      }
      const stem = ocspStem({ uid, version });
      stems.add(stem);
      const due = ocspKeyDue(keyIn(kept.data, stem), path.certificate, markedBy, now);
      if (due > now || path.certificate.notAfter <= now) {
        moments.push(due);
        continue;
      }
      const onSign = (signing: OcspSigning) => this.#note(resource, generation, signing);
      const request = { path, signer, serialKey: markedBy, lifetimeMs: revocation.crlValidityMs, now, onSign };
      Object.assign(made, ocspData(stem, await makeOcspKey(request)));
      moments.push(new Date(now.getTime() + revocation.crlValidityMs / 2));
    }
    const remaining = without(kept.data, uid, stems);
    const isSame = Object.keys(made).length === 0 && Object.keys(remaining).length === Object.keys(kept.data).length;
    if (!isSame) {
      ownership.assert(authorityKey(resource));
      await this.#write({ ...remaining, ...made }, kept);
    }
    return { problems, recheckAt: earliest(moments.filter((each) => each > now)) };
  }

  #note(
    resource: CertificateAuthority,
    { version: generation, path }: SigningGeneration['generation'],
    { serialNumber: serial, keyPin, notBefore, notAfter }: OcspSigning,
  ): void {
    this.#deps.audit?.write({
      event: 'responderSigned',
      ...{ authority: authorityKey(resource), uid: resource.uid, serial, keyPin, notBefore, notAfter, generation },
      issuer: path.certificate.fingerprintSHA256,
      names: OCSP_IDENTITY.subject,
    });
  }

  async #read(): Promise<Kept> {
    const { secret, clock } = this.#deps;
    const found = await secret.read();
    if (found !== undefined && found.metadata?.labels?.[names.RESPONDER_KEYS_LABEL] !== 'true')
      throw new AuthorityError(
        'SecretNotOwned',
        `the keys for OCSP answers are to be kept in Secret ${secret.namespace}/${names.RESPONDER_KEYS_NAME}, and that Secret isn't Certwheel's; move its content to another name if something uses it`,
      );
    return this.#keep(found, clock.now());
  }

  async #write(data: Readonly<Record<string, Buffer>>, kept: Kept): Promise<void> {
    const { secret, clock } = this.#deps;
    this.#kept = undefined;
    this.#keep(await secret.apply(manifestOf(secret.namespace, data, kept)), clock.now());
  }

  #keep(found: RawObject | undefined, readAt: Date): Kept {
    const texts = Object.entries(found?.data ?? {});
    const data = Object.fromEntries(texts.map(([name, text]) => [name, Buffer.from(text, 'base64')]));
    const { uid, resourceVersion } = found?.metadata ?? {};
    this.#kept = { data, uid, resourceVersion, readAt };
    return this.#kept;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

function isFresh(readAt: Date, now: Date): boolean {
  const ageMs = now.getTime() - readAt.getTime();
  return ageMs >= 0 && ageMs < READ_AGAIN_MS;
}

/** Undefined where there is none that can be used. */
function keyIn(data: Readonly<Record<string, Buffer>>, stem: string): OcspKey | undefined {
  try {
    return readOcspKey(data, stem);
  } catch {
    return undefined;
  }
}

/** Without the keys of that authority, save those of `stems`. */
function without(
  data: Readonly<Record<string, Buffer>>,
  uid: string,
  stems: ReadonlySet<string>,
): Record<string, Buffer> {
  return Object.fromEntries(
    Object.entries(data).filter(([name]) => {
      const stem = parseOcspName(name)?.stem;
      return stem === undefined || !stem.startsWith(`${uid}-v`) || stems.has(stem);
    }),
  );
}

function manifestOf(namespace: string, data: Readonly<Record<string, Buffer>>, kept: Kept) {
  const { uid, resourceVersion = CREATE_ONLY } = kept;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name: names.RESPONDER_KEYS_NAME,
      ...(uid === undefined ? {} : { uid }),
      resourceVersion,
      labels: { [names.RESPONDER_KEYS_LABEL]: 'true' },
    },
    type: 'Opaque',
    data: Object.fromEntries(Object.entries(data).map(([name, bytes]) => [name, bytes.toString('base64')])),
  };
}
