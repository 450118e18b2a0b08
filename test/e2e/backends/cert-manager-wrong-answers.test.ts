import { test } from 'uvu';
import { CERTIFICATE_REQUESTS, CLIENT_CERTIFICATE_ANNOTATION, resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { certManager } from '../../../src/backends/cert-manager.ts';
import { trueCondition } from '../../../src/backends/kubernetes/conditions.ts';
import { inHours } from '../../forgeries/forging.ts';
import { root } from '../../pki/make.ts';
import { onStop } from '../../teardown.ts';
import { plainApi } from '../support/plain-api.ts';
import { oneWorld, type World } from '../support/world.ts';
import { type Desk, signedStage } from './forging-signer.ts';
import { createAuthority, place, untilAuthority } from './place.ts';
import { prepareCertManager } from './servers/cert-manager.ts';
import { comesToNothing, freshName, type Row, wrongAnswers } from './wrong-answers.ts';

// certManager with an external issuer that answers wrongly: cert-manager approves, the issuer's controller is the test.

const ISSUER = { name: 'theirs', kind: 'TheirIssuer', group: 'issuers.example.com' };
const worlds = oneWorld();

/** What the issuer says of its CA, by the name of the ClientCertificate and the chain that goes with it. */
const saidCas = new Map<string, (chain: string) => string>();

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

function signed({ metadata, status }: RawObject, pem: string): object {
  const { conditions = [] } = status as { conditions?: object[] };
  const lastTransitionTime = new Date().toISOString();
  const ready = { type: 'Ready', status: 'True', reason: 'Issued', message: 'signed', lastTransitionTime };
  const asker = metadata?.annotations?.[CLIENT_CERTIFICATE_ANNOTATION]?.split('/')[1] ?? '';
  // Where the spec names a CA, what the issuer says of it doesn't count.
  const said = saidCas.get(asker)?.(pem) ?? 'nonsense';
  const [certificate, ca] = [pem, said].map((text) => Buffer.from(text).toString('base64'));
  return { certificate, ca, conditions: [...conditions, ready] };
}

/** Without a CA in the spec, that of the answer is all there is to trust: so far it is the issuer's word, and no further. */
function wordOfTheIssuer(name: string, says: string, ca: (chain: string) => string): Row {
  return {
    name: `${name} for its CA`,
    verdict: 'reaches no Secret',
    play: async (at, where) => {
      saidCas.set(freshName(at), ca);
      const theirs = await place(where.world);
      await createAuthority(theirs, certManager.type, { issuerRef: ISSUER });
      await untilAuthority(theirs);
      await comesToNothing(at, where, theirs, says);
    },
  };
}

const stranger = await root({ notBefore: inHours(-1), notAfter: inHours(5_000) });

wrongAnswers({
  definition: certManager,
  more: [
    wordOfTheIssuer('no PEM', 'holds no CA in status.ca', () => 'nonsense'),
    wordOfTheIssuer('the certificate itself', 'holds a certificate in status.ca that is no CA', (chain) => chain),
    wordOfTheIssuer('a stranger', "does not chain to the authority's CA", () => stranger.certificate.pem),
    wordOfTheIssuer('a hundred strangers', 'at most 10 are read', () => stranger.certificate.pem.repeat(100)),
  ],
  impossible: {
    nothing: 'a request without a certificate is one that waits',
    'something else than text': 'the API has a type for it',
  },
  refusedBefore: { 'ten megabytes': 'Request entity too large: limit is 3145728' },
  stage: async () => {
    const world = await worlds.get();
    const server = await prepareCertManager(world.cluster);
    onStop(server.stop);
    console.log(`# cert-manager ${server.version}`);
    await server.start({ approver: true });
    return signedStage(world, certManager.type, { issuerRef: ISSUER }, deskOf(world));
  },
});
test.after(worlds.stop);

test.run();
