import { test } from 'uvu';
import { kubernetesCSR } from '../../../src/backends/kubernetes-csr.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneWorld } from '../support/world.ts';
import { deskOf, SIGNER } from './csr-desk.ts';
import { signedStage } from './forging-signer.ts';
import { wrongAnswers } from './wrong-answers.ts';

// kubernetesCSR with a signer that answers wrongly: the API is real, the signer of this name is the test.

/** The API server reads certificates as Go does. */
const MALFORMED = 'status.certificate: Invalid value';
const worlds = oneWorld();

wrongAnswers({
  definition: kubernetesCSR,
  impossible: {
    nothing: 'a request without a certificate is one that waits',
    'something else than text': 'the API has a type for it',
  },
  refusedBefore: {
    'an issuer whose key takes its time': MALFORMED,
    'garbage in place of PEM': 'must contain at least one CERTIFICATE PEM block',
    'a private key beside it': 'only CERTIFICATE PEM blocks are allowed',
    'a cut certificate': MALFORMED,
    'ten megabytes': 'Request entity too large: limit is 3145728',
    'ASN.1 a thousand levels deep': MALFORMED,
    'an object identifier of 20 kB': MALFORMED,
    'an issuer whose name Go can not read': 'invalid PrintableString',
    'an extension twice': MALFORMED,
    'two signature algorithms': MALFORMED,
  },
  stage: async () => {
    const world = await worlds.get();
    const { major, minor } = await plainApi(world.cluster).send<Record<string, string>>('GET', '/version');
    console.log(`# kube-apiserver ${major}.${minor}`);
    return signedStage(world, kubernetesCSR.type, { signerName: SIGNER }, deskOf(world));
  },
});
test.after(worlds.stop);

test.run();
