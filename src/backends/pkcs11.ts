import type { Pkcs11Backend } from '../api/generated/types.ts';
import { ANY_CERTIFICATE, type BackendDefinition, perSecond } from './backend.ts';
import { loadedOnDemand } from './shared/on-demand.ts';

/**
 * A CA whose private key is in a hardware security module (HSM) with a PKCS#11 library. Certwheel puts the certificates
 * together; a process of its own, which loads the vendor's library, has the HSM sign them.
 */
export const pkcs11: BackendDefinition<Pkcs11Backend> = {
  type: 'pkcs11',
  capabilities: {
    ...ANY_CERTIFICATE,
    // Cut short where the CA itself ends sooner.
    lifetime: 'atMost',
    remote: true,
    // A small HSM makes some tens of signatures a second, and others use it too.
    rateLimit: perSecond(20),
    persistKey: false,
    signsPublicKey: true,
  },
  permissions: [
    {
      apiGroups: [''],
      resources: ['configmaps'],
      verbs: ['list', 'watch'],
      why: 'to follow the certificates of CAs whose keys are in an HSM',
    },
  ],
  create: (spec, deps) =>
    loadedOnDemand(async () => (await import('./pkcs11/backend.ts')).pkcs11Backend(spec, deps), {
      choosesCA: true,
      signWith: true,
      close: true,
    }),
};
