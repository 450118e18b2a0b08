import { createPrivateKey } from 'node:crypto';
import { test } from 'uvu';
import { stepCA } from '../../../src/backends/step-ca.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { oneWorld } from '../support/world.ts';
import { proxiedStage } from './forging-proxy.ts';
import { makeStepCa, type StepCa } from './servers/step-ca.ts';
import { serve } from './step-ca-subject.ts';
import { CONCEALED } from './subject.ts';
import { wrongAnswers } from './wrong-answers.ts';

// stepCA with a proxy before step-ca that answers wrongly.

const worlds = oneWorld();

function signingOf(ca: StepCa) {
  const [root] = parseCertificates(ca.root);
  if (root === undefined) throw new Error('step-ca has no root');
  return { root, key: createPrivateKey(ca.issuer.key) };
}

interface Answer {
  readonly certChain: readonly string[];
}

const NARROW = 'allows 0 CAs below it and has 1';

wrongAnswers({
  definition: stepCA,
  // The intermediate of step ca init has the path length 0.
  says: {
    'ten megabytes': CONCEALED.says,
    'an issuer for servers alone': NARROW,
    'an issuer that permits other names': NARROW,
    'an issuer that requires a policy': NARROW,
  },
  stage: async () => {
    const [world, served] = await Promise.all([worlds.get(), makeStepCa().then(serve)]);
    return proxiedStage(world, stepCA.type, served, signingOf(served.ca), {
      unwrap: ({ certChain }: Answer) => certChain,
      wrap: (answer: Answer, certChain) => ({ ...answer, crt: null, ca: null, certChain }),
    });
  },
});
test.after(worlds.stop);

test.run();
