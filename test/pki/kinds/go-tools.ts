import { type Kind, kindsOf } from './kind.ts';

/** CAs of tools that are written in Go: each has its own idea of what belongs into a CA certificate. */
const cfssl = kindsOf('cfssl');
const mkcert = kindsOf('mkcert');
const minica = kindsOf('minica');
const step = kindsOf('step');
const vault = kindsOf('vault');
const projects = kindsOf('go-cas');

const CSR = (algorithm: string, size: number, more = '') =>
  `echo '{"CN":"${algorithm} CA","key":{"algo":"${algorithm}","size":${size}},"names":[{"C":"DE","O":"Shop"}]${more}}' >csr.json`;
const INITCA = 'cfssl gencert -initca csr.json >out.json; cfssljson -bare ca <out.json';
const SIGNING = `echo '{"signing":{"default":{"expiry":"8760h","usages":["cert sign","crl sign"],"ca_constraint":{"is_ca":true,"max_path_len":0,"max_path_len_zero":true}}}}' >config.json`;
const BARE = 'cp ca.pem tls.crt; cp ca-key.pem tls.key';

const CFSSL: readonly Kind[] = [
  cfssl.ready('cfssl gencert -initca, ECDSA', `${CSR('ecdsa', 256)}; ${INITCA}; ${BARE}`),
  cfssl.ready('cfssl gencert -initca, RSA', `${CSR('rsa', 2048)}; ${INITCA}; ${BARE}`),
  cfssl.ready(
    'cfssl gencert -initca with a path length of 0',
    `${CSR('ecdsa', 384, ',"ca":{"pathlen":0,"pathlenzero":true,"expiry":"43800h"}')}; ${INITCA}; ${BARE}`,
  ),
  cfssl.ready(
    'cfssl gencert with is_ca, the root in ca.crt',
    `${CSR('ecdsa', 256)}; ${INITCA}; ${SIGNING}; sed 's/ecdsa CA/int CA/' csr.json >int.json; cfssl gencert -ca ca.pem -ca-key ca-key.pem -config config.json int.json | cfssljson -bare int; cp int.pem tls.crt; cp int-key.pem tls.key; cp ca.pem ca.crt`,
  ),
  cfssl.refused(
    'the JSON of cfssl without cfssljson',
    `${CSR('ecdsa', 256)}; ${INITCA}; ${BARE}; cp out.json tls.crt`,
    {
      ground: 'form',
      message: /tls\.crt.*(JSON|\\n)/,
      remedy: 'Extract certificate and key: `cfssljson -bare ca < out.json` writes ca.pem and ca-key.pem.',
    },
  ),
  cfssl.refused(
    'cfssl selfsign, which makes no CA',
    `${CSR('ecdsa', 256)}; cfssl selfsign client.shop.svc csr.json | cfssljson -bare ca; ${BARE}`,
    { ground: 'path', message: /tls\.crt.*not a CA/, remedy: 'Make a CA: `cfssl gencert -initca csr.json`.' },
  ),
];

const MKCERT = 'CAROOT=$PWD mkcert -ecdsa client.shop.svc';

const SMALL: readonly Kind[] = [
  mkcert.ready('mkcert', `${MKCERT}; cp rootCA.pem tls.crt; cp rootCA-key.pem tls.key`),
  mkcert.refused(
    'a leaf of mkcert with its key',
    `${MKCERT}; cp client.shop.svc.pem tls.crt; cp client.shop.svc-key.pem tls.key; cp rootCA.pem ca.crt`,
    {
      ground: 'path',
      message: /tls\.crt.*not a CA/,
      remedy: 'Take rootCA.pem and rootCA-key.pem of the folder that `mkcert -CAROOT` prints.',
    },
  ),
  minica.ready('minica', 'minica -domains client.shop.svc; cp minica.pem tls.crt; cp minica-key.pem tls.key'),
  minica.refused(
    'a leaf of minica with its key',
    'minica -domains client.shop.svc; cp client.shop.svc/cert.pem tls.crt; cp client.shop.svc/key.pem tls.key; cp minica.pem ca.crt',
    { ground: 'path', message: /tls\.crt.*not a CA/, remedy: 'Take minica.pem and minica-key.pem.' },
  ),
];

const STEP = 'step certificate create';
const STEP_ROOT = `${STEP} 'Shop Root' r.crt r.key --profile root-ca --no-password --insecure`;
const STEP_INT = `${STEP_ROOT}; ${STEP} 'Shop Int' int.crt int.key --profile intermediate-ca --ca r.crt --ca-key r.key --no-password --insecure`;

const STEPS: readonly Kind[] = [
  step.ready('step certificate create --profile root-ca', `${STEP_ROOT}; pair r`),
  step.ready('step, RSA', `${STEP_ROOT} --kty RSA --size 2048; pair r`),
  step.ready('step, Ed25519', `${STEP_ROOT} --kty OKP --curve Ed25519; pair r`),
  step.ready('step, an intermediate with its root in ca.crt', `${STEP_INT}; pair int; cp r.crt ca.crt`),
  step.ready(
    'step certificate bundle of intermediate and root',
    `${STEP_INT}; step certificate bundle int.crt r.crt tls.crt; cp int.key tls.key`,
  ),
  step.refused(
    'step without --no-password',
    `echo secret >password; ${STEP} 'Shop Root' r.crt r.key --profile root-ca --password-file password; pair r`,
    {
      ground: 'form',
      message: /tls\.key.*encrypted.*(openssl pkey|step crypto change-pass)/,
      remedy: 'Decrypt it: `step crypto change-pass ca.key --no-password --insecure`.',
    },
  ),
];

const VAULT = [
  "trap 'kill $server' EXIT",
  'export VAULT_ADDR=http://127.0.0.1:$PORT VAULT_TOKEN=root',
  'setpriv --pdeathsig KILL vault server -dev -dev-root-token-id=root -dev-listen-address=127.0.0.1:$PORT -dev-no-store-token >server.log 2>&1 & server=$!',
  'for i in $(seq 100); do vault status >/dev/null 2>&1 && break || sleep 0.1; done',
  'vault secrets enable pki >/dev/null',
  'vault secrets tune -max-lease-ttl=87600h pki >/dev/null',
  'vault write -format=json pki/root/generate/exported common_name="Shop Root" key_type=ec key_bits=256 ttl=87600h >r.json',
  'json() { node -pe "JSON.parse(fs.readFileSync(0)).data.$1" <$2; }',
].join('\n');

const VAULTS: readonly Kind[] = [
  vault.ready(
    'vault write pki/root/generate/exported',
    `${VAULT}\njson certificate r.json >tls.crt; json private_key r.json >tls.key`,
  ),
  vault.ready(
    'vault: an exported intermediate with its root in ca.crt',
    `${VAULT}
vault secrets enable -path=int pki >/dev/null
vault write -format=json int/intermediate/generate/exported common_name="Shop Int" key_type=ec key_bits=256 >int.json
vault write -format=json pki/root/sign-intermediate csr="$(json csr int.json)" ttl=43800h >signed.json
json certificate signed.json >tls.crt; json private_key int.json >tls.key; json issuing_ca signed.json >ca.crt`,
  ),
];

const PROJECTS: readonly Kind[] = [
  projects.ready('kubeadm: /etc/kubernetes/pki/ca.crt and ca.key', 'go-cas kubeadm'),
  projects.ready('k3s: client-ca.crt and client-ca.key', 'go-cas k3s'),
  projects.ready('cert-manager: the Secret of a Certificate with isCA', 'go-cas cert-manager; cp tls.crt ca.crt'),
  projects.ready('Istio: istio-ca-secret', 'go-cas istio'),
  projects.ready('Consul: consul tls ca create', 'go-cas consul'),
];

export const GO_TOOLS: readonly Kind[] = [...CFSSL, ...SMALL, ...STEPS, ...VAULTS, ...PROJECTS];
