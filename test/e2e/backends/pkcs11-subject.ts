import { CONFIG_MAPS, SECRETS } from '../../../src/api/names.ts';
import { pkcs11 as definition } from '../../../src/backends/pkcs11.ts';
import { lazily } from '../support/lazily.ts';
import { makeCa } from '../support/openssl.ts';
import { type SoftHsm, startSoftHsm, type TokenAccess } from './servers/pkcs11.ts';
import { NOTHING_ELSEWHERE, type Place, type Spec, type Subject } from './subject.ts';

const TOKEN: TokenAccess = { token: 'conformance', pin: '4711-pin' };
const KEY = { label: 'ca-v1', id: '01' };
const URI = `pkcs11:token=${TOKEN.token};object=${KEY.label}`;

/** One for the file: it has one controller, and SoftHSM is found by variables of the process. */
const hsm = lazily(async () => {
  const started = await startSoftHsm(`*/${TOKEN.token},*/absent`);
  await started.addToken(TOKEN.token, TOKEN.pin);
  await started.addKey(TOKEN, KEY);
  await started.addKey(TOKEN, { label: 'twins', id: '02' });
  await started.addKey(TOKEN, { label: 'twins', id: '03' });
  return { hsm: started, certificate: await started.selfSign(URI, TOKEN.pin, '/O=Test/CN=HSM CA v1') };
});

export const pkcs11Subject: Subject = {
  type: 'pkcs11',
  capabilities: definition.capabilities,
  exempt: {
    'a connection that is spoilt, slow or busy':
      'it has no connection that a proxy could stand in; see pkcs11-own.test.ts',
    'credentials that are rotated under it': 'the PIN is one for all; pkcs11-own.test.ts changes that of a token',
    'requests that are answered later': NOTHING_ELSEWHERE['requests that are answered later'],
    revocation: NOTHING_ELSEWHERE.revocation,
  },
  lives: ['1m', '24h', '2160h'],
  refusedLives: [],
  checks: [
    {
      step: 'the URI names a PIN',
      reason: 'AuthorityMisconfigured',
      says: 'spec.pkcs11.uri has pin-value: a PIN does not belong in a spec',
      spoil: (good) => ({ ...good, uri: `${good.uri};pin-value=1` }),
    },
    {
      step: 'the token is not present',
      reason: 'AuthorityUnavailable',
      says: 'the token (token absent) is not present; list the tokens with: pkcs11-tool --module ',
      spoil: (good) => ({ ...good, uri: 'pkcs11:token=absent;object=ca-v1' }),
    },
    {
      step: 'the token is not one for that namespace',
      reason: 'BackendForbidden',
      says: 'may not use the token (token other): the operator allows it with --pkcs11-tenant-tokens ',
      spoil: (good) => ({ ...good, uri: 'pkcs11:token=other;object=ca-v1' }),
    },
    {
      step: 'there is no such key',
      reason: 'AuthorityMisconfigured',
      says: 'has no private key with object nobody; list its keys with: pkcs11-tool --module ',
      spoil: (good) => ({ ...good, uri: `pkcs11:token=${TOKEN.token};object=nobody` }),
    },
    {
      step: 'two keys fit the URI',
      reason: 'AuthorityMisconfigured',
      says: 'has several private keys with object twins; give both object and id',
      spoil: (good) => ({ ...good, uri: `pkcs11:token=${TOKEN.token};object=twins` }),
    },
    {
      step: 'the key is not that of the certificate',
      reason: 'CAPairRefused',
      says: "the token's key (id 02) is not the key of O=Test, CN=HSM CA v1; correct spec.pkcs11.uri or the certificate",
      spoil: (good) => ({ ...good, uri: `pkcs11:token=${TOKEN.token};id=%02` }),
    },
    {
      step: 'the certificate is no CA',
      reason: 'CAPairRefused',
      says: 'key tls.crt: ',
      spoil: async (good, where) => {
        await putCertificate(where, (await makeCa('Stranger')).certificate);
        return good;
      },
    },
    {
      step: 'there is no ConfigMap with the certificate',
      reason: 'TrustBundleNotFound',
      says: '/gone, which is to hold the certificate of the CA; create it with: kubectl create configmap gone -n ',
      spoil: (good) => ({ ...good, certificate: { configMap: { name: 'gone' } } }),
    },
    {
      step: 'there is no Secret with the PIN',
      reason: 'CredentialsNotFound',
      says: '/gone, which is to hold the PIN; create it with: kubectl create secret generic gone -n ',
      spoil: (good) => ({ ...good, pinSecretRef: { name: 'gone' } }),
    },
    {
      step: 'the PIN is wrong',
      reason: 'CredentialsRefused',
      says: '/hsm-pin. It is not tried again until that is written anew',
      spoil: async (good, where) => {
        await putPin(where, 'wrong');
        return good;
      },
    },
    {
      step: 'the PIN is in a file, which is for the cluster kind alone',
      reason: 'BackendForbidden',
      says: 'pinFile is only for a ClusterCertificateAuthority',
      spoil: ({ pinSecretRef: _, ...good }) => ({ ...good, pinFile: 'pin' }),
    },
  ],
  flags: async () => (await hsm.get()).hsm.flags,
  start: async () => {
    const { hsm: started, certificate } = await hsm.get();
    return {
      prepare: async (where) => {
        await putCertificate(where, certificate);
        await putPin(where, TOKEN.pin);
        return pkcs11Spec(URI);
      },
      signer: {
        halt: async () => started.takeAway(),
        start: async () => started.putBack(),
        booked: async () => started.signatures(),
      },
      stop: async () => {},
    };
  },
};

export type { SoftHsm };

/** `spec.pkcs11` of a CA certificate and a PIN that `putCertificate` and `putPin` have written. */
export function pkcs11Spec(uri: string): Spec {
  return { uri, pinSecretRef: { name: 'hsm-pin' }, certificate: { configMap: { name: 'hsm-ca' } } };
}

export async function putPin({ world, namespace }: Place, pin: string): Promise<void> {
  // With the newline that editors leave behind.
  const data = { pin: Buffer.from(`${pin}\n`).toString('base64') };
  await world.client.apply(SECRETS, { metadata: { namespace, name: 'hsm-pin' }, type: 'Opaque', data });
}

export async function putCertificate({ world, namespace }: Place, pem: string): Promise<void> {
  await world.client.apply(CONFIG_MAPS, { metadata: { namespace, name: 'hsm-ca' }, data: { 'tls.crt': pem } });
}
