import { type Resource, resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { parsePem } from '../../../src/pki/pem.ts';
import { type Honest, inHours } from '../../forgeries/forging.ts';
import { type Holder, root, signIntermediate } from '../../pki/make.ts';
import { clusterUser } from '../process/support/access.ts';
import { startController } from '../support/controller-process.ts';
import { plainApi } from '../support/plain-api.ts';
import type { World } from '../support/world.ts';
import { ForgedAnswers, type Stage } from './forged-answers.ts';
import { createAuthority, place, untilAuthority } from './place.ts';
import { repeatedly } from './repeatedly.ts';
import { signCsr } from './sign-csr.ts';
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
  /** The labels of the objects, where not all of the resource are meant. */
  readonly selector?: string;
  /** Whether the object is for this signer, and waits for nothing but its answer; may approve it first. */
  isReady(object: RawObject): Promise<boolean>;
  /** Writes the chain (PEM) into the object; throws what the API server says to that. */
  answer(object: RawObject, pem: string): Promise<unknown>;
  /** The CSR (DER) in the object, where it isn't spec.request. */
  csrIn?(object: RawObject): Buffer;
  /** Whether another answer may follow to the same object. */
  readonly answersAgain?: boolean;
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
  const { resource, selector } = desk;
  const query = selector === undefined ? '' : `?labelSelector=${encodeURIComponent(selector)}`;
  const api = plainApi(world.cluster);
  const honestTo = (csr: Buffer): Omit<Honest, 'heldSerial'> => ({
    leaf: parseCertificate(signCsr(csr, intermediate, inHours(1))),
    intermediate: intermediate.certificate,
    root: top.certificate,
    key: intermediate.key,
  });
  const deal = async (object: RawObject) => {
    const { uid = '' } = object.metadata ?? {};
    const csr = (desk.csrIn ?? csrIn)(object);
    const name = forged.nameIn(csr);
    const answer = desk.answersAgain && forged.isTold(name) ? `${uid}, the truth` : uid;
    if (answered.has(answer) || !(await desk.isReady(object))) return;
    const chain = forged.answer(csr, honestTo(csr));
    try {
      await desk.answer(object, chain.join(''));
      answered.add(answer);
      refusals.delete(name);
    } catch (error) {
      // It is gone, or has another version by now, or is refused: the next look will tell.
      refusals.set(name, error instanceof Error ? error.message : String(error));
    }
  };
  const stop = repeatedly(LOOK_AGAIN_MS, async () => {
    const { items } = await api.send<{ items: RawObject[] }>('GET', `${resourcePath(resource)}${query}`);
    await Promise.all(items.map(deal));
  });
  return { refusal: (name) => refusals.get(name), stop };
}

function csrIn({ spec }: RawObject): Buffer {
  const [block] = parsePem(Buffer.from((spec as { request: string }).request, 'base64').toString());
  if (block === undefined) throw new Error('a request without a CSR');
  return block.der;
}
