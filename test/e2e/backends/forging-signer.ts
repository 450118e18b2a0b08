import { randomBytes } from 'node:crypto';
import { type Resource, resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { children, type Element, readElement } from '../../../src/pki/asn1/read.ts';
import { TAG } from '../../../src/pki/asn1/write.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { authorityKeyIdExtension, LEAF_BASIC_CONSTRAINTS } from '../../../src/pki/extensions.ts';
import { keyIdOfCa, newSerialNumber } from '../../../src/pki/issue.ts';
import { parsePem } from '../../../src/pki/pem.ts';
import { type Honest, inHours } from '../../forgeries/forging.ts';
import { type Holder, root, signIntermediate } from '../../pki/make.ts';
import { writeCertificate } from '../../pki/write-certificate.ts';
import { clusterUser } from '../process/support/access.ts';
import { startController } from '../support/controller-process.ts';
import { plainApi } from '../support/plain-api.ts';
import type { World } from '../support/world.ts';
import { ForgedAnswers, type Stage } from './forged-answers.ts';
import { createAuthority, place, untilAuthority } from './place.ts';
import { repeatedly } from './repeatedly.ts';
import type { Spec } from './subject.ts';

/** A root and the intermediate that signs. */
export interface SigningCa {
  readonly top: Holder;
  readonly intermediate: Holder;
}

/** A CA whose keys are the test's. */
export async function makeSigningCa(): Promise<SigningCa> {
  const life = { notBefore: inHours(-1), notAfter: inHours(5_000) };
  const top = await root(life);
  return { top, intermediate: await signIntermediate(top, life) };
}

/** How an API takes a signer's answer. */
export interface Desk {
  readonly resource: Resource;
  /** Whether the object is for this signer, and waits for nothing but its answer; may approve it first. */
  isReady(object: RawObject): Promise<boolean>;
  /** Writes the chain (PEM) into the object's status; throws what the API server says to that. */
  answer(object: RawObject, pem: string): Promise<unknown>;
}

/** The real API, a signer that is the test and forged, and a controller with the permissions of the chart. */
export async function signedStage(world: World, type: string, spec: Spec, desk: Desk): Promise<Stage> {
  const forged = new ForgedAnswers();
  const ca = await makeSigningCa();
  const controller = await startController(await clusterUser(world, 'asking'));
  const signer = startSigner(world, forged, ca, desk);
  return {
    world,
    controller,
    forged,
    place: async () => {
      const where = await place(world);
      await createAuthority(where, type, { ...spec, trustBundle: { inline: ca.top.certificate.pem } });
      await untilAuthority(where);
      return where;
    },
    refusal: signer.refusal,
    stop: signer.stop,
  };
}

interface Signer {
  /** What the API server said to the last answer about that certificate, if it didn't take it. */
  refusal(name: string): string | undefined;
  stop(): Promise<void>;
}

const LOOK_AGAIN_MS = 200;

/** Stands in for the signer of an API: its key is the test's, so that it can sign forged certificates as well. */
function startSigner(world: World, forged: ForgedAnswers, { top, intermediate }: SigningCa, desk: Desk): Signer {
  const refusals = new Map<string, string>();
  const answered = new Set<string>();
  const { resource } = desk;
  const api = plainApi(world.cluster);
  const honestTo = (csr: Buffer): Omit<Honest, 'heldSerial'> => ({
    leaf: parseCertificate(sign(csr, intermediate)),
    intermediate: intermediate.certificate,
    root: top.certificate,
    key: intermediate.key,
  });
  const deal = async (object: RawObject) => {
    const { uid = '' } = object.metadata ?? {};
    if (answered.has(uid) || !(await desk.isReady(object))) return;
    const csr = csrIn(object);
    const name = forged.nameIn(csr);
    const chain = forged.answer(csr, honestTo(csr));
    try {
      await desk.answer(object, chain.join(''));
      answered.add(uid);
      refusals.delete(name);
    } catch (error) {
      // It is gone, or has another version by now, or is refused: the next look will tell.
      refusals.set(name, error instanceof Error ? error.message : String(error));
    }
  };
  const stop = repeatedly(LOOK_AGAIN_MS, async () => {
    const { items } = await api.send<{ items: RawObject[] }>('GET', resourcePath(resource));
    await Promise.all(items.map(deal));
  });
  return { refusal: (name) => refusals.get(name), stop };
}

function csrIn({ spec }: RawObject): Buffer {
  const [block] = parsePem(Buffer.from((spec as { request: string }).request, 'base64').toString());
  if (block === undefined) throw new Error('a request without a CSR');
  return block.der;
}

/** All that is asked for, for an hour, whatever life is asked for. */
function sign(csr: Buffer, { certificate, key }: Holder): Buffer {
  const [info] = children(readElement(csr, TAG.sequence, 'request'));
  const [, subject, publicKey, attributes] = info === undefined ? [] : children(info);
  if (subject === undefined || publicKey === undefined || attributes === undefined) throw new Error('no CSR');
  return writeCertificate({
    subjectDer: subject.bytes,
    publicKeyDer: publicKey.bytes,
    extensions: [
      LEAF_BASIC_CONSTRAINTS,
      ...requestedExtensions(attributes).map(({ bytes }) => bytes),
      authorityKeyIdExtension(keyIdOfCa(certificate)),
    ],
    issuerDer: certificate.subjectDer,
    signingKey: key,
    serialNumber: newSerialNumber(randomBytes(16)),
    notBefore: new Date(),
    notAfter: inHours(1),
  });
}

function requestedExtensions(attributes: Element): Element[] {
  const [request] = children(attributes);
  const [, values] = request === undefined ? [] : children(request);
  const [list] = values === undefined ? [] : children(values);
  return list === undefined ? [] : children(list);
}
