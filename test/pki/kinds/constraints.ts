import { type Ground, type Kind, kindsOf, type Leaf } from './kind.ts';

/** What a CA allows below it: usages, names, policies, and extensions that few have. */
const { ready, refused } = kindsOf('openssl');

const withUsage = (usage: string) => `root my extendedKeyUsage=${usage}; pair my`;
const eku = (seen: string) => ({
  ground: 'path' as const,
  message: new RegExp(`tls\\.crt.*(${seen}|extended key usage|usages?).*client ?auth`, 'i'),
  remedy: 'Make the CA certificate again, with the same key, without extendedKeyUsage or with clientAuth in it.',
});

const USAGES: readonly Kind[] = [
  ready('a CA for client auth alone', withUsage('clientAuth')),
  ready('a CA for server and client auth', withUsage('serverAuth,clientAuth')),
  ready('a CA for any usage and client auth', withUsage('anyExtendedKeyUsage,clientAuth')),
  refused('a CA for server auth alone', withUsage('serverAuth'), eku('server')),
  refused('a CA for any usage alone', withUsage('anyExtendedKeyUsage'), eku('any')),
  refused('a CA for code signing', withUsage('critical,codeSigning'), eku('code')),
  refused(
    'an intermediate for server auth below a root for everything',
    'root r; intermediate int r extendedKeyUsage=serverAuth; pair int r',
    eku('server'),
  ),
  refused(
    'an intermediate below a root for server auth',
    'root r extendedKeyUsage=serverAuth; intermediate int r; pair int r',
    eku('server'),
  ),
  ready(
    'an intermediate for client auth below a root for both',
    'root r extendedKeyUsage=serverAuth,clientAuth; intermediate int r extendedKeyUsage=clientAuth; pair int r',
  ),
  refused('a CA for client auth and a leaf for server auth too', withUsage('clientAuth'), {
    ground: 'path',
    message: /server ?auth/i,
    remedy: 'Ask for no server auth, or use a CA that allows it.',
    leaf: { serverAuth: true },
  }),
  ready(
    'a CA with the Netscape types sslCA and emailCA',
    'root my nsCertType=sslCA,emailCA "nsComment=made by hand"; pair my',
  ),
];

const subtree = (constraint: string, more = '') => `root my "nameConstraints=${constraint}"${more}; pair my`;
const PERMITTED = 'critical,permitted;DNS:shop.svc';
const beyond = (field: string, tree: string, leaf?: Leaf, ground: Ground = 'path') => ({
  ground,
  message: new RegExp(`${field}.*(${tree})|(${tree}).*${field}`),
  remedy: 'Ask for names that the CA permits, or use another CA.',
  ...(leaf && { leaf }),
});

const NAMES: readonly Kind[] = [
  ready('permitted DNS names, met', subtree(PERMITTED)),
  refused(
    'permitted DNS names, missed',
    subtree('critical,permitted;DNS:zoo.example'),
    beyond('dnsNames', 'zoo\\.example'),
  ),
  refused(
    'permitted DNS names that are not critical, missed',
    subtree('permitted;DNS:zoo.example'),
    beyond('dnsNames', 'zoo\\.example'),
  ),
  ready('excluded DNS names, not met', subtree('critical,excluded;DNS:zoo.example')),
  refused(
    'excluded DNS names, met',
    subtree('critical,excluded;DNS:client.shop.svc'),
    beyond('dnsNames', 'client\\.shop\\.svc'),
  ),
  refused(
    'permitted DNS names and a CN that looks like a host name outside them',
    subtree(PERMITTED),
    beyond('commonName', 'shop\\.svc', { commonName: 'client.zoo.example', dnsNames: [] }),
  ),
  ready('permitted URI hosts, met', subtree('critical,permitted;URI:.td.example,permitted;URI:td.example'), {
    leaf: { dnsNames: [], uris: ['spiffe://td.example/ns/shop/sa/client'] },
  }),
  refused(
    'permitted URI hosts, missed',
    subtree('critical,permitted;URI:td.example'),
    beyond('uris', 'td\\.example', { dnsNames: [], uris: ['spiffe://zoo.example/client'] }),
  ),
  refused(
    'excluded URI hosts, met',
    subtree('critical,excluded;URI:td.example'),
    beyond('uris', 'td\\.example', { dnsNames: [], uris: ['spiffe://td.example/client'] }),
  ),
  ready('permitted mail domain, met', subtree('critical,permitted;email:shop.example'), {
    leaf: { emailAddresses: ['client@shop.example'] },
  }),
  refused(
    'permitted mail domain, missed',
    subtree('critical,permitted;email:shop.example'),
    beyond('emailAddresses', 'shop\\.example', { emailAddresses: ['client@zoo.example'] }),
  ),
  ready('permitted IP network, met', subtree('critical,permitted;IP:10.0.0.0/255.0.0.0'), {
    leaf: { ipAddresses: ['10.1.2.3'] },
  }),
  refused(
    'permitted IP network, missed',
    subtree('critical,permitted;IP:10.0.0.0/255.0.0.0'),
    beyond('ipAddresses', '10\\.0\\.0\\.0', { ipAddresses: ['192.0.2.1'] }),
  ),
  refused('critical constraints of the subject', subtree('critical,permitted;dirName:dir', ' "[dir]" CN=client'), {
    ground: 'path',
    message: /tls\.crt.*DirName:CN=client.*Go/,
    remedy:
      'Go refuses each client: make the CA again with name constraints that are not critical, or without dirName.',
  }),
  refused(
    'constraints of the subject that are not critical, missed',
    subtree('permitted;dirName:dir', ' "[dir]" O=Zoo'),
    beyond('subject', 'O=Zoo'),
  ),
  refused(
    'an intermediate that permits fewer names than its root',
    `root r "nameConstraints=${PERMITTED}"; intermediate int r "nameConstraints=critical,permitted;DNS:a.shop.svc"; pair int r`,
    beyond('dnsNames', 'a\\.shop\\.svc'),
  ),
];

const POLICY = 'certificatePolicies=1.2.3.4';
const policies = {
  ground: 'path' as const,
  message: /polic/i,
  remedy: 'Make the CAs with policies that agree, or without requireExplicitPolicy.',
};

const POLICIES: readonly Kind[] = [
  ready('a CA with policies', `root r; intermediate int r ${POLICY}; pair int r`),
  ready('a CA with critical policies', 'root r; intermediate int r certificatePolicies=critical,1.2.3.4; pair int r'),
  ready(
    'requireExplicitPolicy with a policy that the leaf repeats',
    `root r; intermediate int r ${POLICY} policyConstraints=critical,requireExplicitPolicy:0; pair int r`,
    { leafPolicies: ['1.2.3.4'] },
  ),
  refused(
    'requireExplicitPolicy without any policy',
    'root r; intermediate int r policyConstraints=critical,requireExplicitPolicy:0; pair int r',
    policies,
  ),
  refused(
    'requireExplicitPolicy with two CAs that agree on no policy',
    'root r; intermediate int r certificatePolicies=1.2.3.5 policyConstraints=critical,requireExplicitPolicy:0; intermediate low int certificatePolicies=1.2.3.4; pair low int r',
    policies,
  ),
  ready('inhibitAnyPolicy', `root r; intermediate int r ${POLICY} inhibitAnyPolicy=critical,0; pair int r`),
  ready(
    'critical policy mappings',
    `root r; intermediate int r ${POLICY} policyMappings=critical,1.2.3.4:1.2.3.5; pair int r`,
  ),
];

const RARE: readonly Kind[] = [
  refused('an unknown critical extension', 'root r; intermediate int r 1.2.3.4=critical,DER:0500; pair int r', {
    ground: 'path',
    message: /tls\.crt.*CN=int .*critical.*1\.2\.3\.4/,
    remedy: 'Make the CA again without this extension, or not critical.',
  }),
  ready('an unknown extension that is not critical', 'root my 1.2.3.4=DER:0500; pair my'),
  ready(
    'addresses of CRLs and issuers',
    'root r; intermediate int r crlDistributionPoints=URI:http://ca.shop.example/r.crl authorityInfoAccess=caIssuers\\;URI:http://ca.shop.example/r.crt; pair int r',
  ),
  refused(
    'addresses of CRLs that are critical',
    'root r; intermediate int r crlDistributionPoints=critical,URI:http://ca.shop.example/r.crl; pair int r',
    {
      ground: 'path',
      message: /tls\.crt.*CN=int .*critical CRL distribution points/,
      remedy: 'Java refuses it: make the CA again with distribution points that are not critical.',
    },
  ),
  refused(
    'a subject key identifier that is critical',
    'certify my self basicConstraints=critical,CA:true keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=critical,hash; pair my',
    {
      ground: 'path',
      message: /tls\.crt.*key ?id.*critical|tls\.crt.*critical.*(key ?id|2\.5\.29\.14)/i,
      remedy: 'Make the certificate again, with the same key, with an identifier that is not critical.',
    },
  ),
];

export const CONSTRAINTS: readonly Kind[] = [...USAGES, ...NAMES, ...POLICIES, ...RARE];
