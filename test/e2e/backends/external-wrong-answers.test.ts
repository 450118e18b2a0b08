import { test } from 'uvu';
import { external } from '../../../src/backends/external.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneWorld } from '../support/world.ts';
import { csrMapDesk } from './csr-map-desk.ts';
import { signedStage } from './forging-signer.ts';
import { wrongAnswers } from './wrong-answers.ts';

// external with wrong answers in its ConfigMaps, which anybody who may write ConfigMaps can put there.

const worlds = oneWorld();

wrongAnswers({
  definition: external,
  impossible: {
    nothing: 'a request without a certificate is one that waits',
    'something else than text': 'the API has a type for it',
  },
  refusedBefore: {
    'ten megabytes': 'Request entity too large: limit is 3145728',
  },
  taken: { 'a chain that begins with the CA': 'the order in which a person copies certificates does not matter' },
  stage: async () => {
    const world = await worlds.get();
    const { major, minor } = await plainApi(world.cluster).send<Record<string, string>>('GET', '/version');
    console.log(`# kube-apiserver ${major}.${minor}`);
    return signedStage(world, external.type, {}, csrMapDesk(world));
  },
});
test.after(worlds.stop);

test.run();
