import { test } from 'uvu';
import { cloudflare as definition } from '../../../src/backends/cloudflare.ts';
import { oneWorld } from '../support/world.ts';
import { startCloudflareFake } from './cloudflare-fake.ts';
import { FakeZone } from './cloudflare-fake-zone.ts';
import { asksForCertificate, cloudflareSpec, newToken, putToken } from './cloudflare-world.ts';
import { proxiedStage } from './forging-proxy.ts';
import { makeSigningCa } from './forging-signer.ts';
import { startMeddler } from './intercepting-proxy.ts';
import { wrongAnswers } from './wrong-answers.ts';

// cloudflare with a proxy before the fake that answers wrongly; the CA's key is the test's, as all of the fake is.

const worlds = oneWorld();

interface Answer {
  readonly result: { readonly certificate: string };
}

wrongAnswers({
  definition,
  impossible: {
    'ten megabytes':
      'an answer that can not be read is a lost one, which is found in the list of the zone as it was issued',
  },
  says: {
    nothing: 'answered without a certificate',
    'something else than text': 'answered without a certificate',
  },
  stage: async () => {
    const { top, intermediate } = await makeSigningCa();
    const zone = new FakeZone(intermediate, [intermediate.certificate]);
    zone.quotas.certificates = 5_000;
    const [world, fake] = await Promise.all([worlds.get(), startCloudflareFake(zone)]);
    const proxy = await startMeddler({ url: fake.origin, ca: fake.ca }, fake.tls);
    const served = {
      prepare: async (where: Parameters<typeof putToken>[0], url = proxy.url) => {
        await putToken(where, newToken(fake));
        return cloudflareSpec({ fake, caPem: top.certificate.pem }, { server: `${url}/client/v4` });
      },
      server: { url: fake.url, proxy, asksForCertificate, rotateCredentials: async () => {} },
      stop: async () => {
        await proxy.stop();
        await fake.stop();
      },
    };
    const signing = { root: top.certificate, key: intermediate.key };
    return proxiedStage(world, definition.type, served, signing, {
      unwrap: ({ result }: Answer) => [result.certificate],
      wrap: (answer: Answer, chain) => {
        const certificate = chain.every((each) => typeof each === 'string') ? chain.join('') : chain;
        const result = { ...answer.result, certificate };
        return { ...answer, result, messages: Array.from({ length: 2_000 }, () => 'beware of me '.repeat(3)) };
      },
    });
  },
});
test.after(worlds.stop);

test.run();
