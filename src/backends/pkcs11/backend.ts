import { hash } from 'node:crypto';
import type { Pkcs11Backend } from '../../api/generated/types.ts';
import { AuthorityError } from '../../errors.ts';
import type { CaPath } from '../../pki/ca.ts';
import { CaError } from '../../pki/ca-error.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import { type KeyHolder, readCaPath } from '../../pki/read-ca.ts';
import type { Signer } from '../../pki/signer.ts';
import { type Backend, type Issued, type IssueRequest, NO_TRUST, type OfferedCa, type Trust } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { withinLimit } from '../http/client.ts';
import { signFor } from '../shared/own-ca.ts';
import { certificatesOf, certificatesOfKey, idOf, mismatch } from './ca-certificate.ts';
import { Pkcs11Client } from './client.ts';
import { programsOf, refuseForeignToken } from './config.ts';
import type { SigningInput } from './messages.ts';
import { readPin } from './pin.ts';
import { PROCESSES } from './process-limit.ts';
import { SignerProcess } from './signer-process.ts';
import { DIGEST_INFO_SHA256, ecdsaDer, tokenSigner } from './token-signer.ts';
import {
  type KeyMatch,
  keyReference,
  keyText,
  type Pkcs11Uri,
  parseKeyReference,
  parsePkcs11Uri,
  UriError,
} from './uri.ts';

/** See BackendDefinition.create. */
export function pkcs11Backend(spec: Pkcs11Backend, deps: BackendDeps): Backend {
  const hsm = new Pkcs11Authority(spec, deps);
  return {
    warning: () => hsm.warning,
    choosesCA: true,
    tryToSign: (issuerRef, signal) => withinLimit(signal, (all) => hsm.tryToSign(issuerRef, all)),
    check: (signal) => withinLimit(signal, (all) => hsm.check(all)),
    trust: (signal) => withinLimit(signal, (all) => hsm.trust(all)),
    issue: (request, signal) => withinLimit(signal, (all) => hsm.issue(request, all)),
    signWith: (issuerRef, certificate, tbs, signal) =>
      withinLimit(signal, (all) => hsm.signWith(issuerRef, certificate, tbs, all)),
    close: () => hsm.close(),
  };
}

interface Reading {
  readonly id: string;
  readonly offered: OfferedCa;
  readonly readAt: Date;
  readonly holdsUntil: Date;
}

/** The keys of one token, and the CA certificate of the one that the spec names. */
class Pkcs11Authority {
  readonly #spec: Pkcs11Backend;
  readonly #deps: BackendDeps;
  #signer: SignerProcess | undefined;
  #client: Pkcs11Client | undefined;
  #last: Reading | undefined;
  #isClosed = false;
  #uncount: (() => void) | undefined;
  /** Keys that the token would export, of those that were checked last. */
  #extractable: KeyMatch | undefined;

  constructor(spec: Pkcs11Backend, deps: BackendDeps) {
    this.#spec = spec;
    this.#deps = deps;
  }

  get warning(): string | undefined {
    if (this.#extractable === undefined) return undefined;
    return `the key ${keyText(this.#extractable)} is extractable (CKA_EXTRACTABLE), so the PIN is enough to copy it`;
  }

  /** What to trust is in the generations: this only offers the CA that is to sign. */
  async trust(signal: AbortSignal): Promise<Trust> {
    try {
      return { ...NO_TRUST, offered: await this.#read(signal) };
    } catch (error) {
      // A mistake in the next CA must not stop the one that signs: `check` says whether that can go on.
      const isAboutNext = error instanceof AuthorityError && ABOUT_THE_SPEC.includes(error.code);
      if (isAboutNext && this.#deps.signing() !== undefined) return { ...NO_TRUST, refusal: error };
      throw error;
    }
  }

  /** Has the token sign, with the key that signs now, or is to be the first to sign. */
  async check(signal: AbortSignal): Promise<void> {
    const { issuerRef } = this.#deps.signing() ?? (await this.#readRef(signal));
    await this.tryToSign(issuerRef ?? '', signal);
  }

  async tryToSign(issuerRef: string, signal: AbortSignal): Promise<void> {
    const key = keyOf(issuerRef);
    const { isExtractable } = await this.#connect().find(key, signal);
    this.#extractable = isExtractable ? key : undefined;
    const certificate = this.#certificateOf(issuerRef);
    if (certificate === undefined) return;
    await this.#signerOf(certificate, key, signal).sign(PROBE);
  }

  async issue(request: IssueRequest, signal: AbortSignal): Promise<Issued> {
    const signing = this.#deps.signing();
    const { issuerRef } = signing ?? {};
    if (signing === undefined || issuerRef === undefined)
      throw new AuthorityError('AuthorityNotReady', `no key of ${this.#deps.name} has become a CA generation yet`);
    const signer = this.#signerOf(signing.path.certificate, keyOf(issuerRef), signal);
    return signFor(request, { ...signing, signer }, this.#deps);
  }

  signWith(issuerRef: string, certificate: CertificateView, tbs: Uint8Array, signal: AbortSignal): Promise<Buffer> {
    return this.#signerOf(certificate, keyOf(issuerRef), signal).sign(tbs);
  }

  close(): void {
    this.#isClosed = true;
    this.#signer?.close();
    this.#uncount?.();
  }

  async #readRef(signal: AbortSignal): Promise<{ readonly issuerRef: string }> {
    return { issuerRef: (await this.#read(signal)).ref };
  }

  /** While the certificates are the same and no date in them has passed, that costs the token nothing. */
  async #read(signal: AbortSignal): Promise<OfferedCa> {
    const { clock } = this.#deps;
    const { key } = this.#uri();
    const ref = keyReference(key);
    const material = await certificatesOf(this.#spec.certificate, this.#deps);
    const id = JSON.stringify([ref, idOf(material)]);
    const now = clock.now();
    const last = this.#last;
    if (last?.id === id && last.readAt <= now && now < last.holdsUntil) return last.offered;
    this.#last = undefined;
    const { path, holdsUntil } = await readPath(() =>
      readCaPath(material, now, (given) => this.#holder(key, given, material.place, signal)),
    );
    this.#last = { id, offered: { ref, path }, readAt: now, holdsUntil };
    return this.#last.offered;
  }

  /** The certificates of the token's key: those that verify a signature of it. */
  async #holder(
    key: KeyMatch,
    given: readonly CertificateView[],
    place: string,
    signal: AbortSignal,
  ): Promise<KeyHolder> {
    const client = this.#connect();
    const { kind } = await client.find(key, signal);
    const digest = hash('sha256', PROBE, 'buffer');
    const raw = await client.sign(
      key,
      kind === 'rsa'
        ? { mechanism: 'rsa', data: Buffer.concat([DIGEST_INFO_SHA256, digest]) }
        : { mechanism: 'ecdsa', data: digest },
      signal,
    );
    const signers = certificatesOfKey(given, kind, PROBE, kind === 'rsa' ? raw : ecdsaDer(raw));
    const [certificate] = signers;
    if (certificate === undefined) throw mismatch(place, given, keyText(key));
    return { signers, signer: this.#signerOf(certificate, key, signal) };
  }

  #signerOf(certificate: CertificateView, key: KeyMatch, signal: AbortSignal): Signer {
    const client = this.#connect();
    return tokenSigner(certificate, (input: SigningInput) => client.sign(key, input, signal), keyText(key));
  }

  /** The certificate of that key, of the CA that is offered or signs. */
  #certificateOf(issuerRef: string): CertificateView | undefined {
    const offered = this.#last?.offered;
    const signing = this.#deps.signing();
    const path: CaPath | undefined =
      signing?.issuerRef === issuerRef ? signing.path : offered?.ref === issuerRef ? offered.path : undefined;
    return path?.certificate;
  }

  #uri(): Pkcs11Uri {
    try {
      return parsePkcs11Uri(this.#spec.uri);
    } catch (error) {
      if (error instanceof UriError)
        throw new AuthorityError('AuthorityMisconfigured', `spec.pkcs11.uri ${error.message}`);
      throw error;
    }
  }

  #connect(): Pkcs11Client {
    if (this.#client !== undefined) return this.#client;
    const { token } = this.#uri();
    refuseForeignToken(token, this.#deps);
    const { addon, library } = programsOf(this.#deps.hsm);
    // A request may end later than the authority that it was made for.
    if (this.#isClosed) throw new AuthorityError('AuthorityNotReady', 'the authority was changed or removed');
    const { clusterWide, objects, hsm } = this.#deps;
    this.#uncount = PROCESSES.count(clusterWide ? undefined : objects.namespace, hsm.mostProcesses);
    this.#signer = new SignerProcess(addon, library);
    this.#client = new Pkcs11Client(token, library, this.#signer, () => readPin(this.#spec, this.#deps));
    return this.#client;
  }
}

/** What is wrong with the certificate or the key that the spec names, and not with the token. */
const ABOUT_THE_SPEC: readonly string[] = ['CAPairRefused', 'TrustBundleNotFound', 'AuthorityMisconfigured'];

/** Signed to show that the key is there; nothing that means something can begin like it, since DER begins with a tag. */
const PROBE = Buffer.from('\0certwheel probe of a PKCS#11 key');

/** A tenant that writes the Secrets of generations may have forged it; the PIN goes to the token of the spec alone. */
function keyOf(issuerRef: string): KeyMatch {
  try {
    return parseKeyReference(issuerRef);
  } catch (error) {
    if (error instanceof UriError)
      throw new AuthorityError(
        'CAPairRefused',
        `the annotation of a CA generation that names its key is damaged: it ${error.message}`,
      );
    throw error;
  }
}

async function readPath<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CaError) throw new AuthorityError('CAPairRefused', error.message, { cause: error });
    throw error;
  }
}
