import { CERTIFICATE_SIGNING_REQUESTS as CSRS, resourcePath } from '../../../src/api/names.ts';
import type { RawObject } from '../../../src/api/parse.ts';
import { trueCondition } from '../../../src/backends/kubernetes/conditions.ts';
import { plainApi } from '../support/plain-api.ts';
import type { World } from '../support/world.ts';
import type { Desk } from './forging-signer.ts';

/** The name of a signer that is the test's. */
export const SIGNER = 'test.example.com/liar';

/** It approves as well, as `kubectl certificate approve` would. */
export function deskOf(world: World): Desk {
  const api = plainApi(world.cluster);
  const put = (object: RawObject, subresource: string) =>
    api.send('PUT', resourcePath(CSRS, undefined, object.metadata?.name, subresource), object);
  return {
    resource: CSRS,
    isReady: async (object) => {
      if ((object.spec as { signerName?: string }).signerName !== SIGNER) return false;
      if (trueCondition(object, 'Approved') !== undefined) return true;
      const approved = { type: 'Approved', status: 'True', reason: 'Test', message: 'by the test' };
      await put({ ...object, status: { conditions: [approved] } }, 'approval').catch(() => {});
      return false;
    },
    answer: (object, pem) => {
      const certificate = Buffer.from(pem).toString('base64');
      return put({ ...object, status: { ...(object.status as object), certificate } }, 'status');
    },
  };
}
