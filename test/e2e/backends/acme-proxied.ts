import { lazily } from '../support/lazily.ts';
import { acmeDirect, dnsSolver, StateInMemory } from './acme-direct.ts';
import { makeAcmeStepCa, stepCaSpec } from './acme-servers.ts';
import { type Answer, type Exchange, startMeddler } from './intercepting-proxy.ts';
import { startChallengeServer } from './servers/challenges.ts';
import { serverCertificate } from './servers/step-ca-files.ts';

/** A real step-ca with ACME behind a proxy, and the backend without a cluster in front of it. */
export function acmeBehindProxy() {
  const shared = lazily(async () => {
    const answers = await startChallengeServer();
    const ca = await makeAcmeStepCa({ dns: answers.dns });
    await ca.start();
    const own = await serverCertificate('127.0.0.1', ca.issuer);
    const proxy = await startMeddler({ url: ca.url, ca: ca.root, keepsHost: true }, own);
    return { answers, proxy, spec: stepCaSpec(ca, proxy.url) };
  });
  return {
    shared,
    /** A backend with an account of its own, and further ones (replicas, or the same after a restart) with that account. */
    setUp: async () => {
      const { answers, proxy, spec } = await shared.get();
      proxy.meddle(undefined);
      const state = new StateInMemory();
      const direct = () => acmeDirect(spec, { state, solverFor: () => dnsSolver(answers) });
      return { proxy, direct, ...direct() };
    },
    stop: async () => {
      const { answers, proxy } = await shared.get();
      await proxy.stop();
      await answers.stop();
    },
  };
}

export const isOrder = ({ path, method }: Exchange) => method === 'POST' && /\/new-order$/.test(path);
export const isOrderItself = ({ path }: Exchange) => /\/order\/[^/]+$/.test(path);
export const isAuthorization = ({ path }: Exchange) => /\/authz\//.test(path);
export const isFinalize = ({ path }: Exchange) => /\/finalize$/.test(path);
export const isCertificate = ({ path }: Exchange) => /\/certificate\//.test(path);

/** The answer with another body, and further headers. */
export function changed(
  answer: Answer,
  change: (body: Record<string, unknown>) => object,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = JSON.stringify(change(JSON.parse(answer.body.toString())));
  return { ...answer, headers: { ...answer.headers, ...headers }, body };
}
