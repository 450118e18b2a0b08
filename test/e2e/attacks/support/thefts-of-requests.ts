import { type Act, type Ask, post, remove } from './act.ts';

export const CSRS = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

export const MARKS = {
  labels: { 'app.kubernetes.io/managed-by': 'certwheel' },
  annotations: { 'certwheel.io/client-certificate': 'shop/alice' },
};
const NOT_MARKED = /only requests that are named certwheel-… and carry the label/;
const NOT_OWN = /approves and removes only requests that it has created itself/;
const NO_FINALIZER = /sets no finalizers on a request/;

/** `request` is the PEM of a PKCS#10 request in base64. */
export function signingRequest(
  request: string,
  name: string,
  metadata: object,
  signerName = 'example.com/clients',
): Ask {
  const spec = { request, usages: ['client auth'], signerName };
  return post(CSRS, { metadata: { name, ...metadata }, spec });
}

/** The requests that people made before the thief comes. */
export function requestsOfPeople(request: string): readonly Ask[] {
  return [signingRequest(request, 'a-persons', {}), signingRequest(request, 'certwheel-forged', MARKS)];
}

/** What the policy of requests denies. */
export function theftsOfRequests(request: string): readonly Act[] {
  const create = (name: string, metadata: object) => signingRequest(request, name, metadata);
  const [creates, deletes] = ['create', 'delete'].map(
    (verb) => `${verb} certificatesigningrequests.certificates.k8s.io`,
  );
  return [
    {
      what: 'a request without marks',
      right: String(creates),
      ask: create('mine', {}),
      denied: NOT_MARKED,
      legitimate: create('certwheel-a', MARKS),
    },
    {
      what: 'a request that can not be deleted',
      right: String(creates),
      ask: create('certwheel-b', { ...MARKS, finalizers: ['example.com/hold'] }),
      denied: NO_FINALIZER,
      legitimate: create('certwheel-b', MARKS),
    },
    {
      what: 'the request of a person deleted',
      right: String(deletes),
      ask: remove(`${CSRS}/a-persons`),
      denied: NOT_MARKED,
      legitimate: remove(`${CSRS}/certwheel-b`),
    },
    {
      what: 'the request of a person with forged marks deleted',
      right: String(deletes),
      ask: remove(`${CSRS}/certwheel-forged`),
      denied: NOT_OWN,
      legitimate: remove(`${CSRS}/certwheel-a`),
    },
  ];
}
