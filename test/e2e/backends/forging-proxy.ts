import type { KeyObject } from 'node:crypto';
import { type CertificateView, parseCertificates } from '../../../src/pki/certificate.ts';
import { parsePem } from '../../../src/pki/pem.ts';
import type { World } from '../support/world.ts';
import { ForgedAnswers, type Stage } from './forged-answers.ts';
import type { Exchange } from './intercepting-proxy.ts';
import { readyAuthority } from './place.ts';
import type { Served } from './subject.ts';

/** How a server wraps what it signs. */
export interface Wrapping {
  /** The right chain in an answer, as PEM, leaf first. */
  unwrap(answer: never): readonly string[];
  /** The answer with another chain in it. */
  wrap(answer: never, chain: readonly unknown[]): unknown;
}

interface Signing {
  readonly root: CertificateView;
  /** That of the intermediate. */
  readonly key: KeyObject;
}

/** A real server, a proxy before it that forged, and a controller that asks the proxy. */
export async function proxiedStage(
  world: World,
  type: string,
  served: Served,
  { root, key }: Signing,
  { unwrap, wrap }: Wrapping,
): Promise<Stage> {
  const { proxy, asksForCertificate } = served.server ?? {};
  if (proxy === undefined || asksForCertificate === undefined) throw new Error('there is no proxy');
  const forged = new ForgedAnswers();
  proxy.meddle(async (exchange, pass) => {
    const honest = await pass();
    if (!asksForCertificate(exchange) || honest.status >= 300) return honest;
    const answer = JSON.parse(honest.body.toString()) as never;
    const [leaf, intermediate] = unwrap(answer).flatMap((pem) => parseCertificates(pem));
    if (leaf === undefined || intermediate === undefined) throw new Error('the server answered with a short chain');
    const chain = forged.answer(csrIn(exchange), { leaf, intermediate, root, key });
    return { ...honest, body: JSON.stringify(wrap(answer, chain)) };
  });
  const controller = await world.controller(['--allow-loopback-authorities']);
  return {
    world,
    controller,
    forged,
    place: () => readyAuthority({ world, served }, { type }, proxy.url),
    stop: served.stop,
  };
}

/** The servers get it as a member of a JSON object: `csr`, Google as `pemCsr`. */
function csrIn({ body }: Exchange): Buffer {
  const { csr = '', pemCsr = csr } = JSON.parse(body.toString()) as { csr?: string; pemCsr?: string };
  const [block] = parsePem(pemCsr);
  if (block === undefined) throw new Error('a request without a CSR');
  return block.der;
}
