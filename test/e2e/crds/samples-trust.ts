/** What spec.trust of an authority can say. */
import type { Json } from './api.ts';

const protocol = { http: { path: '/', acceptStatus: [200], rejectStatus: [400] } };
/** A verifier is behind a Service or at an address, and its protocol is one of two. */
export const verifierOfService = (namespace: Json): Json => ({
  name: 'gateway',
  targetName: 'gateways',
  service: { name: 'gateway', port: 443, ...namespace },
  serverName: 'gateway.example.com',
  serverCA: { configMap: { name: 'server-ca', key: 'ca.crt' } },
  protocol,
  interval: '30s',
});
export const verifierAtAddress: Json = {
  name: 'broker',
  address: 'broker.example.com:9093',
  serverCA: { secret: { name: 'server-ca', key: 'ca.crt' } },
  protocol: { tls: {} },
  interval: '1m',
};
const permittedNames = {
  dnsDomains: ['partner.example'],
  uriDomains: ['partner.example'],
  emailDomains: ['partner.example'],
};
const endpoint = {
  endpoint: 'https://spire.partner.example:8443/bundle',
  trustDomain: 'partner.example',
  interval: '5m',
};
export const sources: readonly Json[] = [
  { name: 'partner', configMap: { name: 'partner-ca', key: 'ca.pem' }, permittedNames },
  { name: 'inline', inline: 'PEM' },
  { name: 'web', spiffeBundle: { ...endpoint, profile: 'https_web', caBundle: 'LS0tLS1CRUdJTgo=' } },
  {
    name: 'spiffe',
    spiffeBundle: {
      ...endpoint,
      profile: 'https_spiffe',
      endpointSPIFFEID: 'spiffe://partner.example/spire/server',
      bundle: '{"keys": []}',
    },
  },
];
const requiredProof = 'Written';
const additionalFormats = [{ type: 'JKS', password: 'secret' }, { type: 'PKCS12' }];
export const configMap: Json = {
  name: 'gateways',
  configMap: { name: 'client-ca' },
  requiredProof,
  additionalFormats,
  crl: { key: 'ca.crl' },
};
export const secret: Json = { name: 'brokers', secret: { name: 'client-ca' } };
const ID = '023e105f4ecef8ad9ca31a8372d0c353';
export const cloudflareMTLS: Json = {
  name: 'edge',
  cloudflareMTLS: {
    account: ID,
    zone: ID,
    hostnames: ['api.example.com', '*.mtls.example.com'],
    apiTokenSecretRef: { name: 'cloudflare-token', key: 'token' },
    maxCertificates: 50,
    server: 'https://cloudflare.example.com/client/v4',
    caBundle: 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
  },
};
export const clusterTrustBundle = {
  name: 'mesh',
  clusterTrustBundle: { name: 'example.com:mtls:clients', signerName: 'example.com/mtls' },
};
