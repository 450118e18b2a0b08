import { test } from 'uvu';
import { googleCAS } from '../../../src/backends/google-cas.ts';
import { oneWorld } from '../support/world.ts';
import { proxiedStage } from './forging-proxy.ts';
import { serve } from './google-cas-subject.ts';
import { startGoogleCas } from './servers/google-cas.ts';
import { CONCEALED } from './subject.ts';
import { wrongAnswers } from './wrong-answers.ts';

// googleCAS with a proxy before the fake that answers wrongly.

const worlds = oneWorld();

interface Answer {
  readonly pemCertificate: string;
  readonly pemCertificateChain: readonly string[];
}

wrongAnswers({
  definition: googleCAS,
  taken: { 'a chain without its middle': 'the pool states all of its CAs, so the one that is missing is known' },
  says: {
    nothing: 'Google answered without a certificate',
    'something else than text': 'Google answered without a certificate',
    'ten megabytes': CONCEALED.says,
  },
  stage: async () => {
    const [world, served] = await Promise.all([worlds.get(), startGoogleCas().then(serve)]);
    const [ca] = served.google.pool.cas;
    if (ca === undefined) throw new Error('the pool has no CA');
    const signing = { root: ca.top.certificate, key: ca.signer.key };
    return proxiedStage(world, googleCAS.type, served, signing, {
      unwrap: ({ pemCertificate, pemCertificateChain }: Answer) => [pemCertificate, ...pemCertificateChain],
      wrap: (answer: Answer, [pemCertificate, ...pemCertificateChain]) => ({
        ...answer,
        pemCertificate,
        pemCertificateChain,
      }),
    });
  },
});
test.after(worlds.stop);

test.run();
