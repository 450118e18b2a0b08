import { test } from 'uvu';
import { CERTIFICATE_REQUESTS, resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { certManager } from '../../../src/authorities/cert-manager.ts';
import { trueCondition } from '../../../src/authorities/kubernetes/conditions.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneWorld, type World } from '../support/world.ts';
import { type Desk, signedStage } from './lying-signer.ts';
import { prepareCertManager } from './servers/cert-manager.ts';
import { wrongAnswers } from './wrong-answers.ts';

// certManager with an external issuer that answers wrongly: cert-manager approves, the issuer's controller is the test.

const ISSUER = { name: 'theirs', kind: 'TheirIssuer', group: 'issuers.example.com' };
const worlds = oneWorld();

function deskOf(world: World): Desk {
  const api = plainApi(world.cluster);
  return {
    resource: CERTIFICATE_REQUESTS,
    isReady: async (object) => trueCondition(object, 'Approved') !== undefined,
    answer: (object, pem) => {
      const { namespace, name } = object.metadata ?? {};
      const path = resourcePath(CERTIFICATE_REQUESTS, namespace, name, 'status');
      return api.send('PUT', path, { ...object, status: signed(object, pem) });
    },
  };
}

function signed({ status }: RawObject, pem: string): object {
  const { conditions = [] } = status as { conditions?: object[] };
  const lastTransitionTime = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'Issued', message: 'signed', lastTransitionTime };
  const [certificate, ca] = [pem, 'nonsense'].map((text) => Buffer.from(text).toString('base64'));
  // What it says of its CA doesn't count where the spec names one.
  return { certificate, ca, conditions: [...conditions, ready] };
}

wrongAnswers({
  definition: certManager,
  impossible: {
    nothing: 'a request without a certificate is one that waits',
    'something else than text': 'the API has a type for it',
  },
  refusedBefore: { 'ten megabytes': 'Request entity too large: limit is 3145728' },
  stage: async () => {
    const world = await worlds.get();
    const server = await prepareCertManager(world.cluster);
    console.log(`# cert-manager ${server.version}`);
    await server.start({ approver: true });
    const stage = await signedStage(world, certManager.type, { issuerRef: ISSUER }, deskOf(world));
    const stop = async () => {
      await stage.stop();
      await server.stop();
    };
    return { ...stage, stop };
  },
});
test.after(worlds.stop);

test.run();
