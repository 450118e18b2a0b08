import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { leaf, root, signIntermediate } from '../../pki/make.ts';
import { makeStepCa, type StepCa } from './servers/step-ca.ts';
import { addK8sSAProvisioner, addX5cProvisioner } from './servers/step-provisioner.ts';
import { backendOf } from './step-ca-direct.ts';
import { pageTemplate, pageTemplateOfK8sSA } from './step-ca-page.ts';
import { CREDENTIALS, putCredentials, serve, specOf, stepCaSubject } from './step-ca-subject.ts';
import { ADDRESS_CHECKS, type CheckRow, type Served, type Spec, type Subject } from './subject.ts';

// step-ca with the provisioners that are no JWK: the rest is as with one.

type Credentials = Readonly<Record<string, string>>;

/** One kind of provisioner. */
interface Login {
  /** What stands under `provisioner`. */
  readonly provisioner: Spec & { readonly name: string };
  /** Adds the provisioner to ca.json, with other keys each time; answers what belongs into the Secret. Takes a restart. */
  add(ca: StepCa): Promise<Credentials>;
}

const x5c: Login = {
  provisioner: { name: 'certwheel-x5c', x5c: { secretRef: { name: CREDENTIALS } } },
  add: async (ca) => {
    const top = await root(LASTING);
    addX5cProvisioner(ca, x5c.provisioner.name, top.certificate.pem, pageTemplate());
    const below = await signIntermediate(top, LASTING);
    const { certificate, key } = await leaf(below, { subject: { commonName: 'certwheel' }, ...LASTING });
    return {
      'tls.crt': `${certificate.pem}${below.certificate.pem}`,
      'tls.key': key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  },
};

const k8sSA: Login = {
  provisioner: { name: 'certwheel-k8s', k8sSA: { secretRef: { name: CREDENTIALS, key: 'token' } } },
  add: async (ca) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keys = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    addK8sSAProvisioner(ca, k8sSA.provisioner.name, keys, pageTemplateOfK8sSA());
    return { token: await serviceAccountToken(privateKey) };
  },
};

const MINUTE_MS = 60_000;
/** In whole minutes: a certificate ends no later than its CA, which has no milliseconds. */
const inDays = (days: number) => new Date(Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS + days * 86_400_000);
const LASTING = { notBefore: inDays(-1), notAfter: inDays(90) };

/** As Kubernetes signs those in Secrets; step-ca-provisioners.test.ts has one of a real cluster. */
function serviceAccountToken(key: KeyObject): Promise<string> {
  const [namespace, name] = ['certwheel', 'certwheel-step'];
  return new SignJWT({
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': CREDENTIALS,
    'kubernetes.io/serviceaccount/service-account.name': name,
    'kubernetes.io/serviceaccount/service-account.uid': randomUUID(),
  })
    .setProtectedHeader({ alg: 'RS256' })
    .setIssuer('kubernetes/serviceaccount')
    .setSubject(`system:serviceaccount:${namespace}:${name}`)
    .sign(key);
}

async function started({ provisioner, add }: Login): Promise<Served> {
  const ca = await makeStepCa();
  let present = await add(ca);
  const served = await serve(ca);
  const secret = () => Object.fromEntries(Object.entries(present).map(([key, text]) => [key, Buffer.from(text)]));
  return {
    ...served,
    prepare: async (where, url = ca.url) => {
      await putCredentials(where, present);
      return { ...specOf(ca, url), provisioner };
    },
    server: {
      ...served.server,
      rotateCredentials: async (where) => {
        present = await add(ca);
        await ca.start();
        await putCredentials(where, present);
      },
    },
    ...(served.revocation && {
      revocation: { ...served.revocation, backend: () => backendOf(ca, provisioner, secret()) },
    }),
  };
}

const NOT_THERE: CheckRow = {
  step: 'there is no such provisioner',
  reason: 'AuthorityMisconfigured',
  says: 'with the name nobody',
  spoil: (good) => ({ ...good, provisioner: { ...good.provisioner, name: 'nobody' } }),
};
const OTHER_TYPE: CheckRow = {
  step: 'the provisioner is of another type',
  reason: 'AuthorityMisconfigured',
  says: 'with the name certwheel',
  spoil: (good) => ({ ...good, provisioner: { ...good.provisioner, name: 'certwheel' } }),
};

export const x5cSubject: Subject = {
  ...stepCaSubject,
  checks: [
    ...ADDRESS_CHECKS,
    NOT_THERE,
    OTHER_TYPE,
    {
      step: 'there is no Secret',
      reason: 'CredentialsNotFound',
      says: 'there is no Secret gone',
      spoil: (good) => ({ ...good, provisioner: { ...good.provisioner, x5c: { secretRef: { name: 'gone' } } } }),
    },
    {
      step: 'the certificate leads to another root',
      reason: 'CredentialsRefused',
      says: "leads to no root of step-ca's provisioner certwheel-x5c",
      spoil: async (good, where) => {
        const { certificate, key } = await leaf(await root(LASTING), LASTING);
        const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
        await putCredentials(where, { 'tls.crt': certificate.pem, 'tls.key': pem });
        return good;
      },
    },
  ],
  start: () => started(x5c),
};

export const k8sSASubject: Subject = {
  ...stepCaSubject,
  exempt: { ...stepCaSubject.exempt, revocation: 'step-ca answers 500 to a revocation with such a token' },
  withoutRevocation: { server: 'https://127.0.0.1:1', rootFingerprints: ['00'], provisioner: k8sSA.provisioner },
  checks: [
    ...ADDRESS_CHECKS,
    NOT_THERE,
    OTHER_TYPE,
    {
      step: 'there is no Secret',
      reason: 'CredentialsNotFound',
      says: 'gone',
      spoil: (good) => ({
        ...good,
        provisioner: { ...good.provisioner, k8sSA: { secretRef: { name: 'gone', key: 'token' } } },
      }),
    },
    {
      step: 'the token is signed by another key',
      reason: 'CredentialsRefused',
      says: 'is signed by none of the 1 keys',
      spoil: async (good, where) => {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
        await putCredentials(where, { token: await serviceAccountToken(privateKey) });
        return good;
      },
    },
  ],
  start: () => started(k8sSA),
};
