import { test } from 'uvu';
import { awsPrivateCA as definition } from '../../../src/backends/aws-private-ca.ts';
import { parseCertificates } from '../../../src/pki/certificate.ts';
import { oneWorld } from '../support/world.ts';
import { serve } from './aws-private-ca-subject.ts';
import { ForgedAnswers } from './forged-answers.ts';
import { makeSigningCa } from './forging-signer.ts';
import { readyAuthority } from './place.ts';
import { startFakeAws } from './servers/aws.ts';
import { CONCEALED } from './subject.ts';
import { wrongAnswers } from './wrong-answers.ts';

// awsPrivateCA with a fake of AWS whose CA key is the test's, and which forges what GetCertificate answers.

const worlds = oneWorld();

wrongAnswers({
  definition,
  taken: { 'a chain without its middle': 'the middle is the CA itself, whose certificate AWS answers apart' },
  says: {
    'ten megabytes': CONCEALED.says,
    nothing: 'GetCertificate answered without a certificate',
    // AWS's chain ends with the root, and so does a forged one.
    'a chain of a hundred': '101 certificates; at most 10 are read',
    'garbage in place of PEM': 'the PEM block CERTIFICATE is not base64',
    'something else than text': 'GetCertificate answered without a certificate',
  },
  stage: async () => {
    const ca = await makeSigningCa();
    const [world, aws] = await Promise.all([worlds.get(), startFakeAws(ca)]);
    const served = await serve(aws);
    const forged = new ForgedAnswers();
    const { top, intermediate } = ca;
    const signing = { intermediate: intermediate.certificate, root: top.certificate, key: intermediate.key };
    aws.service.forger = (csr, pem) => {
      const [leaf] = parseCertificates(pem);
      if (leaf === undefined) throw new Error('there is no certificate');
      return forged.answer(csr, { leaf, ...signing });
    };
    const controller = await world.controller(['--allow-loopback-authorities']);
    return {
      world,
      controller,
      forged,
      place: () => readyAuthority({ world, served }, definition),
      stop: served.stop,
    };
  },
});
test.after(worlds.stop);

test.run();
