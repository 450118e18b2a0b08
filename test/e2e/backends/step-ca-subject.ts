import { randomBytes } from 'node:crypto';
import { SECRETS } from '../../../src/api/names.ts';
import { stepCA } from '../../../src/backends/step-ca.ts';
import { openssl } from '../../pki/openssl.ts';
import { startMeddler } from './intercepting-proxy.ts';
import { makeStepCa, type StepCa } from './servers/step-ca.ts';
import { serverCertificate } from './servers/step-ca-files.ts';
import { addProvisioner } from './servers/step-provisioner.ts';
import { backendOf } from './step-ca-direct.ts';
import { pageTemplate } from './step-ca-page.ts';
import { ADDRESS_CHECKS, CONCEALED, type Place, type Served, type Server, type Spec, type Subject } from './subject.ts';

export const CREDENTIALS = 'step-ca-provisioner';

export const stepCaSubject: Subject = {
  type: 'stepCA',
  capabilities: stepCA.capabilities,
  provenByCertificate: true,
  exempt: { 'requests that are answered later': 'step-ca answers at once' },
  lives: ['5m', '1h', '24h'],
  refusedLives: [
    { duration: '3m', says: 'is less than the authorized minimum certificate duration' },
    { duration: '25h', says: 'is more than the authorized maximum certificate duration' },
  ],
  checks: [
    ...ADDRESS_CHECKS,
    {
      step: 'the root has another fingerprint',
      ...CONCEALED,
      spoil: (good) => ({ ...good, rootFingerprints: ['0'.repeat(64)] }),
    },
    {
      step: 'the certificate of the server is for another name',
      ...CONCEALED,
      spoil: (good) => ({ ...good, server: String(good.server).replace('127.0.0.1', 'localhost') }),
    },
    {
      step: 'there is no Secret',
      reason: 'CredentialsNotFound',
      says: '--from-file=key=provisioner.key --from-file=password=provisioner.password',
      spoil: (good) => ({ ...good, provisioner: { ...good.provisioner, secretRef: { name: 'gone' } } }),
    },
    {
      step: 'there is no such provisioner',
      reason: 'AuthorityMisconfigured',
      says: 'no provisioner of type JWK with the name nobody',
      spoil: (good) => ({ ...good, provisioner: { ...good.provisioner, name: 'nobody' } }),
    },
    {
      step: 'the key is that of another provisioner',
      reason: 'CredentialsRefused',
      says: "is not that of step-ca's provisioner admin, which has the kid ",
      spoil: (good) => ({ ...good, provisioner: { ...good.provisioner, name: 'admin' } }),
    },
    {
      step: 'the password is wrong',
      reason: 'CredentialsRefused',
      says: "the password doesn't open it",
      spoil: async (good, where) => {
        await putCredentials(where, { password: 'wrong' });
        return good;
      },
    },
    {
      step: 'the key is no JWE',
      reason: 'CredentialsRefused',
      says: 'it is no JWE',
      spoil: async (good, where) => {
        await putCredentials(where, { key: 'none' });
        return good;
      },
    },
  ],
  start: async () => serve(await makeStepCa()),
};

/** The suite's step-ca with the provisioner of its page, and a proxy whose certificate is of that step-ca too. */
export async function serve(ca: StepCa): Promise<Served & { readonly ca: StepCa; readonly server: Server }> {
  addCertwheel(ca);
  ca.configure((config) => {
    config.crl = { enabled: true, generateOnRevoke: true, cacheDuration: '24h' };
  });
  await ca.start();
  const proxy = await startMeddler({ url: ca.url, ca: ca.root }, await serverCertificate('127.0.0.1', ca.issuer));
  return {
    ca,
    prepare: async (where, url = ca.url) => {
      await putCredentials(where, credentialsOf(ca));
      return specOf(ca, url);
    },
    signer: {
      halt: () => ca.halt(),
      start: () => ca.start(),
      booked: async () => ca.read('step-ca.log').match(/path=\/1\.0\/sign .*status=201/g)?.length ?? 0,
    },
    server: {
      url: ca.url,
      proxy,
      asksForCertificate: ({ path }) => path === '/1.0/sign',
      rotateCredentials: async (where) => {
        addCertwheel(ca);
        await ca.start();
        await putCredentials(where, credentialsOf(ca));
      },
    },
    revocation: { backend: () => backendOf(ca), saysOf: (serial) => entryOf(ca, serial), superseded: /Superseded/ },
    stop: async () => {
      await proxy.stop();
      await ca.stop();
    },
  };
}

/** What the commands below "The provisioner" of the page make, or make again with another key and password. */
export function addCertwheel(ca: StepCa): void {
  const password = `${randomBytes(32).toString('base64')}\n`;
  ca.write('provisioner.password', password);
  ca.write('provisioner.key', addProvisioner(ca, { name: 'certwheel', password, template: pageTemplate() }));
}

export function specOf(ca: StepCa, url: string): Spec {
  const provisioner = { name: 'certwheel', secretRef: { name: CREDENTIALS } };
  return { server: url, rootFingerprints: [ca.fingerprint], provisioner };
}

function credentialsOf(ca: StepCa): Record<string, string> {
  return { key: ca.read('provisioner.key'), password: ca.read('provisioner.password') };
}

/** Changes what is given, and leaves the rest as it is. */
export async function putCredentials(
  { world, namespace }: Place,
  content: Readonly<Record<string, string>>,
): Promise<void> {
  const present = (await world.client.get(SECRETS, namespace, CREDENTIALS))?.data ?? {};
  const given = Object.entries(content).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const data = { ...present, ...Object.fromEntries(given) };
  await world.client.apply(SECRETS, { metadata: { namespace, name: CREDENTIALS }, type: 'Opaque', data });
}

/** What the CRL of step-ca holds of a certificate. */
export async function entryOf(ca: StepCa, serialNumber: string): Promise<string | undefined> {
  return (await entriesOf(ca)).find((entry) => BigInt(`0x${serialIn(entry)}`) === BigInt(`0x${serialNumber}`));
}

/** The serial numbers of all that step-ca has revoked, in lower-case hex. */
export async function revokedBy(ca: StepCa): Promise<string[]> {
  return (await entriesOf(ca)).map((entry) => serialIn(entry).toLowerCase());
}

async function entriesOf(ca: StepCa): Promise<string[]> {
  const { body } = await ca.get('/1.0/crl');
  const { ok, out, text } = openssl(['crl', '-inform', 'DER', '-in', '{crl}', '-noout', '-text'], { crl: body });
  if (!ok) throw new Error(text);
  return out.split('Serial Number: ').slice(1);
}

function serialIn(entry: string): string {
  return /^[0-9A-F]+/.exec(entry)?.[0] ?? '';
}
