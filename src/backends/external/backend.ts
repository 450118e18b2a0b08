import type { ExternalBackend } from '../../api/generated/types.ts';
import { CONFIG_MAPS } from '../../api/names.ts';
import type { Backend } from '../backend.ts';
import type { BackendDeps } from '../backend-deps.ts';
import { refuseWithoutCreate } from '../kubernetes/problems.ts';
import { refuseOtherUsages } from '../shared/csr-usages.ts';
import { readTrustBundle } from '../shared/trust-bundle.ts';
import { answerOf } from './answer.ts';
import { csrRequest } from './csr-manifest.ts';
import { CsrPace, csrObject, removeCsr } from './csr-object.ts';

export function externalBackend(spec: ExternalBackend, deps: BackendDeps): Backend {
  const kind = deps.clusterWide ? 'ClusterCertificateAuthority' : 'CertificateAuthority';
  const authority = `${kind}/${deps.name.split('/').at(-1)}`;
  const pace = new CsrPace(deps.clock);
  return {
    verified: 'CSRs can be handed out; each answer is verified when it is handed in',
    trust: () => readTrustBundle(spec.trustBundle, deps),
    check: async () => {
      // The cluster kind writes into the namespaces of its certificates, each of which may lack the right by itself.
      if (!deps.clusterWide) await refuseWithoutCreate('external', CONFIG_MAPS, deps.objects);
    },
    issue: async (request) => {
      // A person who signs with -copy_extensions takes the usages from the CSR.
      refuseOtherUsages(request);
      const objects = deps.objectsOf(request.requester.namespace);
      const found = await csrObject(csrRequest(request, authority), spec.instructions, objects, pace);
      return answerOf(found, request, spec, deps.clock.now());
    },
    forget: ({ id, requester }) => removeCsr({ ...requester, id }, deps.objectsOf(requester.namespace), deps),
  };
}
