import { createPrivateKey } from 'node:crypto';
import { test } from 'uvu';
import { acme } from '../../../src/backends/acme.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { oneWorld } from '../support/world.ts';
import { isCertificate, isFinalize, isOrderItself } from './acme-proxied.ts';
import { acmeSubject, serve } from './acme-subject.ts';
import { ForgedAnswers, type Stage } from './forged-answers.ts';
import type { Answer, Exchange } from './intercepting-proxy.ts';
import { readyAuthority } from './place.ts';
import { CONCEALED } from './subject.ts';
import { wrongAnswers } from './wrong-answers.ts';

// acme with a proxy before step-ca that answers with other certificates than were issued.

const worlds = oneWorld();

/** Which request a certificate is for: the CSR comes when an order is finalized, and the order names its certificate. */
class Orders {
  readonly #requests = new Map<string, Buffer>();
  readonly #certificates = new Map<string, string>();

  note({ path, body }: Exchange, answer: Answer): void {
    const [, order] = /\/order\/([^/]+)/.exec(path) ?? [];
    if (order === undefined) return;
    if (path.endsWith('/finalize')) {
      const { payload } = JSON.parse(body.toString()) as { payload: string };
      const { csr } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { csr: string };
      this.#requests.set(order, Buffer.from(csr, 'base64url'));
    }
    const { certificate } = JSON.parse(answer.body.toString()) as { certificate?: string };
    if (certificate !== undefined) this.#certificates.set(new URL(certificate).pathname, order);
  }

  requestBehind(path: string): Buffer {
    const request = this.#requests.get(this.#certificates.get(path) ?? '');
    if (request === undefined) throw new Error(`no order has the certificate ${path}`);
    return request;
  }
}

const NARROW = 'allows 0 CAs below it and has 1';

wrongAnswers({
  definition: acme,
  says: {
    'ten megabytes': CONCEALED.says,
    'an issuer for servers alone': NARROW,
    'an issuer that permits other names': NARROW,
    'an issuer that requires a policy': NARROW,
    'one for servers': 'issued a certificate for servers alone, without the usage client auth',
    // The CA fills the subject, and must not make anybody one of Kubernetes' own.
    'an organization more': 'the subject holds "system:masters", which was not requested',
    'an administrator of kubeadm': 'the subject holds "kubeadm:cluster-admins", which was not requested',
    'something else than text': "answered with a certificate that can't be read: bytes outside the PEM blocks",
    nothing: "answered with a certificate that can't be read: there is none",
  },
  stage: async (): Promise<Stage> => {
    const [world, served] = await Promise.all([worlds.get(), serve()]);
    const { ca, server } = served;
    const [root] = parseCertificates(ca.root);
    if (root === undefined) throw new Error('step-ca has no root');
    const key = createPrivateKey(ca.issuer.key);
    const forged = new ForgedAnswers();
    const orders = new Orders();
    server.proxy.meddle(async (exchange, pass) => {
      const honest = await pass();
      if (honest.status >= 300) return honest;
      if (isFinalize(exchange) || isOrderItself(exchange)) orders.note(exchange, honest);
      if (!isCertificate(exchange)) return honest;
      const [leaf, intermediate] = parseCertificates(honest.body.toString());
      if (leaf === undefined || intermediate === undefined) throw new Error('the server answered with a short chain');
      const chain = forged.answer(orders.requestBehind(exchange.path), { leaf, intermediate, root, key });
      return { ...honest, body: chain.map(String).join('') };
    });
    return {
      world,
      controller: await world.controller(['--allow-loopback-authorities']),
      forged,
      place: async () => {
        const place = await readyAuthority({ world, served }, acme, server.proxy.url);
        const { certificate } = acmeSubject;
        return { ...place, ...(certificate && { certificate }) };
      },
      stop: served.stop,
    };
  },
});
test.after(worlds.stop);

test.run();
