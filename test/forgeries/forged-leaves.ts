import { oid, sequence, set, utf8String } from '../../src/pki/asn1/write.ts';
import { caBasicConstraints } from '../../src/pki/extensions.ts';
import { publicKeyDer } from '../../src/pki/keys.ts';
import { but, type Forgeries } from './forgery.ts';
import { extension, inHours, newKey } from './forging.ts';

const COMMON_NAME = '2.5.4.3';

function commonNames(...values: readonly string[]): Buffer {
  return sequence(...values.map((value) => set(sequence(oid(COMMON_NAME), utf8String(value)))));
}

export const WRONG_IDENTITY: Forgeries = {
  'a certificate for another key': {
    forge: but(() => ({ publicKeyDer: publicKeyDer(newKey()) })),
    says: 'the certificate is for another public key',
  },
  'another name': {
    forge: but(() => ({ names: { dnsNames: ['mallory.example.com'] } })),
    says: 'dnsNames holds "mallory.example.com" in place of',
  },
  'one name more': {
    forge: but(({ leaf }) => ({ names: { dnsNames: [...leaf.names.dnsNames, '*.example.com'] } })),
    says: '"*.example.com" in place of',
  },
  'a name of another kind more': {
    forge: but(() => ({ names: { uris: ['spiffe://example.com/admin'] } })),
    says: 'uris holds "spiffe://example.com/admin" in place of nothing',
  },
  'no names': { forge: but(() => ({ names: { dnsNames: [] } })), says: 'dnsNames holds nothing in place of' },
  'two thousand names': {
    forge: but(() => ({ names: { dnsNames: Array.from({ length: 2_000 }, (_, at) => `n${at}.example.com`) } })),
    says: 'dnsNames holds "n0.example.com", "n1.example.com"',
  },
  'another common name': {
    forge: but(() => ({ subject: { commonName: 'mallory' } })),
    says: 'commonName holds "mallory" in place of',
  },
  'a second common name': {
    forge: but(({ leaf }) => ({ subjectDer: commonNames(leaf.subject.commonName ?? '', 'mallory') })),
    says: 'the subject holds "CN=mallory", which was not requested',
  },
  'a common name of 30 kB that commands terminals': {
    forge: but(() => ({ subjectDer: commonNames(`\u001b[2J\u202e${'x'.repeat(30_000)}`) })),
    says: 'commonName holds "\\u001b[2J\\u{202e}xxx',
  },
  'an organization more': {
    forge: but(({ leaf }) => ({ subject: { ...leaf.subject, organizations: ['system:masters'] } })),
    says: 'organizations holds "system:masters" in place of nothing',
  },
  'an administrator of kubeadm': {
    forge: but(({ leaf }) => ({ subject: { ...leaf.subject, organizations: ['kubeadm:cluster-admins'] } })),
    says: 'organizations holds "kubeadm:cluster-admins" in place of nothing',
  },
  'an account of a Windows domain': {
    forge: but(() => ({ more: [extension('1.3.6.1.4.1.311.25.2', Buffer.from('3000', 'hex'))] })),
    says: 'holds a Windows security identifier, which was not requested',
  },
  'the serial number of the one before': {
    forge: but(({ heldSerial }) => ({ serialNumber: Buffer.from(heldSerial, 'hex') })),
    says: 'the certificate has the serial number of an earlier one',
    onlyRenewal: true,
  },
};

export const WRONG_POWERS: Forgeries = {
  'a CA': {
    forge: but(({ leaf }) => ({ basicConstraints: caBasicConstraints(), usages: [...leaf.usages, 'cert sign'] })),
    says: 'the certificate is a CA',
  },
  'a usage more': {
    forge: but(({ leaf }) => ({ usages: [...leaf.usages, 'server auth'] })),
    says: 'the certificate has the usage "server auth", which was not requested',
  },
  'one for servers': {
    forge: but(() => ({ usages: ['digital signature', 'server auth'] })),
    says: 'the certificate lacks the usage "client auth"',
  },
  'a critical extension that nobody knows': {
    forge: but(() => ({ more: [extension('1.2.3.4', Buffer.from('0500', 'hex'), true)] })),
    says: 'has the unknown critical extension 1.2.3.4',
  },
};

export const WRONG_LIFE: Forgeries = {
  'one that has expired': {
    forge: but(() => ({ notBefore: inHours(-2), notAfter: inHours(-1) })),
    says: 'the certificate has expired at',
  },
  'one that begins in half an hour': {
    forge: but(() => ({ notBefore: inHours(0.5), notAfter: inHours(0.9) })),
    says: 'the certificate is not valid before',
  },
  'one that ends before it begins': {
    forge: but(() => ({ notBefore: inHours(0.9), notAfter: inHours(0.5) })),
    says: 'the certificate ends before it begins',
  },
  'one that ends in five seconds': {
    forge: but(() => ({ notAfter: inHours(5 / 3_600) })),
    says: 'too soon to be renewed before',
  },
  'a longer life than asked for': {
    forge: but(() => ({ notAfter: inHours(24) })),
    says: 'the certificate ends at',
  },
};
