import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { AwsPrivateCABackend } from '../../api/generated/types.ts';
import { systemClock } from '../../clock.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { backendOf } from './backend.ts';

test('no token of a ServiceAccount is made for an STS that the author of a namespaced authority runs', async () => {
  const made: string[] = [];
  const deps: Partial<BackendDeps> = {
    name: 'shop/ca',
    clusterWide: false,
    addresses: { loopback: false },
    clock: systemClock,
    objects: { namespace: 'shop' } as BackendDeps['objects'],
    serviceAccountToken: async (name) => {
      made.push(name);
      throw new Error('a token was made');
    },
  };
  const spec: AwsPrivateCABackend = {
    arn: 'arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1-2',
    stsEndpoint: 'https://sts.evil.invalid',
    auth: {
      serviceAccountRef: {
        name: 'issuer',
        roleArn: 'arn:aws:iam::111122223333:role/certwheel',
        audience: 'sts.amazonaws.com',
      },
    },
  };
  const asked = async () => backendOf(spec, deps as BackendDeps, {}).check(new AbortController().signal);
  const error = await asked().catch((thrown: Error) => thrown);
  assert.match(String(error), /stsEndpoint names sts\.evil\.invalid/);
  assert.equal(made, []);
});

test.run();
