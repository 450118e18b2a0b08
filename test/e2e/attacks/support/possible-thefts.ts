import { type Act, get } from './act.ts';
import { certificate, DANGLING, generation, OWNER, pathOf } from './certwheel-secrets.ts';
import { create, edit, marks, overwrite, removeSecret } from './thefts-of-secrets.ts';

/** What no policy can tell from the work of the controller: docs/install.md lists it. */
export const POSSIBLE_THEFTS: readonly Act[] = [
  { what: 'any Secret read', right: 'get secrets', ask: get(pathOf('tenants-tls')) },
  { what: 'all Secrets read', right: 'list secrets', ask: get('/api/v1/secrets') },
  {
    what: 'all Secrets watched',
    right: 'watch secrets',
    ask: get('/api/v1/secrets?watch=1&timeoutSeconds=1'),
  },
  {
    what: 'a Secret of a certificate that does not exist',
    right: 'create secrets',
    ask: create(certificate('forged-tls')),
  },
  {
    what: 'a CA generation of an authority that exists, which a second request fills with a forged key',
    right: 'create secrets',
    ask: create(generation('ca-ca-v9', 'ca')),
  },
  { what: 'a CA that signs deleted', right: 'delete secrets', ask: removeSecret('ca-ca-v1') },
  { what: 'a forged certificate in the Secret of a certificate', right: 'patch secrets', ask: overwrite('held-tls') },
  {
    what: 'the Secret of a ClientCertificate that is gone handed to garbage collection',
    right: 'patch secrets',
    ask: edit('plain-tls', { ownerReferences: [OWNER] }),
  },
  {
    what: 'a Secret that was handed over given to garbage collection',
    right: 'patch secrets',
    ask: edit('handed-tls', { ...marks(DANGLING), ownerReferences: [{ ...OWNER, uid: DANGLING }] }),
  },
];
