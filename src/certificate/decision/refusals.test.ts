import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, after, anObserved, aSigning, DAY, NOW } from '../../../test/unit/builders.ts';
import { table } from '../../../test/unit/check-table.ts';
import type { Observed } from '../observed.ts';
import * as flaws from './flaws.ts';
import * as needs from './needs.ts';
import * as obstacles from './obstacles.ts';
import * as refusals from './refusals.ts';

type AnyCheck = (seen: Observed, now: Date) => unknown;
const issued = anObserved().withSecret();
const named = (spec: object) => anObserved(aCertificate(spec)).withSecret();

table({
  'no other resource names the Secret': { check: refusals.namesTakenSecret, seen: issued.build(), says: undefined },
  'an older resource names the Secret': {
    check: refusals.namesTakenSecret,
    seen: issued.behind('first').build(),
    says: 'ClientCertificate first, which goes first',
  },
  'the Secret has no other purpose': { check: refusals.secretIsProtected, seen: issued.build(), says: undefined },
  'a Secret that an authority needs is refused, also where it was handed over': {
    check: refusals.secretIsProtected,
    seen: anObserved()
      .withForeignSecret({ adoptBy: 'client' })
      .protectedAs('holds the CA of CertificateAuthority ca')
      .build(),
    says: '"code":"SecretNotOwned","message":"Secret client-tls holds the CA of CertificateAuthority ca; create this',
  },
  'a name that is reserved is refused': {
    check: refusals.secretIsProtected,
    seen: anObserved().protectedAs('has a reserved name', 'InvalidSpec').build(),
    says: '"code":"InvalidSpec"',
  },
  'a certificate without key stores needs no password': {
    check: refusals.storePasswordIsUnusable,
    seen: issued.build(),
    says: undefined,
  },
  'a password that can be used is no matter': {
    check: refusals.storePasswordIsUnusable,
    seen: issued.build().with({ storePasswords: { tag: 'tag', of: () => '' } }),
    says: undefined,
  },
  'a password that can not be used is waited for': {
    check: refusals.storePasswordIsUnusable,
    seen: issued.build().with({ storePasswords: { problem: 'Secret team/p does not exist' } }),
    says: '"do":"wait","code":"KeystorePasswordUnusable","message":"the key stores need their password: Secret team/p does',
  },
  'a Secret that is immutable is refused, with the command that deletes it': {
    check: refusals.secretIsImmutable,
    seen: anObserved().withSecret({ isImmutable: true }).build(),
    says: "is immutable, so its certificate can't be renewed; delete it, and Certwheel creates it anew with a new certificate: kubectl delete secret -n team client-tls",
  },
  'a Secret that can be changed is not refused': {
    check: refusals.secretIsImmutable,
    seen: issued.build(),
    says: undefined,
  },
  'a Secret of another type is not offered for a hand-over': {
    check: refusals.secretIsForeign,
    seen: anObserved().withForeignSecret({ type: 'Opaque' }).build(),
    says: "so it can't be handed over: create this ClientCertificate anew",
  },
  'a Secret of a resource with the same name and another uid is reported as that of an earlier resource': {
    check: refusals.secretIsForeign,
    seen: anObserved()
      .withSecret({ owner: { certificateName: 'client', certificateUid: 'uid-before' } })
      .build(),
    says: 'Secret client-tls was written for an earlier ClientCertificate of this name; to hand it over: kubectl annotate secret -n team client-tls --overwrite certwheel.io/adopt=client',
  },
  'there is no Secret that could be foreign': {
    check: refusals.secretIsForeign,
    seen: anObserved().build(),
    says: undefined,
  },
  'our Secret is not foreign': { check: refusals.secretIsForeign, seen: issued.build(), says: undefined },
  'a Secret without our marks is foreign': {
    check: refusals.secretIsForeign,
    seen: anObserved().withForeignSecret().build(),
    says: 'certwheel.io/adopt=client',
  },
  'a Secret with the label of ours and another uid is foreign': {
    check: refusals.secretIsForeign,
    seen: anObserved()
      .withSecret({ owner: { certificateName: 'client', certificateUid: 'uid-2' } })
      .build(),
    says: 'SecretNotOwned',
  },
  'a Secret with the uid of ours and another name is foreign': {
    check: refusals.secretIsForeign,
    seen: anObserved()
      .withSecret({ owner: { certificateName: 'other', certificateUid: 'uid-1' } })
      .build(),
    says: 'SecretNotOwned',
  },
  'a Secret that was handed over to us is not foreign': {
    check: refusals.secretIsForeign,
    seen: anObserved().withForeignSecret({ adoptBy: 'client' }).build(),
    says: undefined,
  },
  'a Secret that was handed over to another resource is foreign': {
    check: refusals.secretIsForeign,
    seen: anObserved().withForeignSecret({ adoptBy: 'other' }).build(),
    says: 'SecretNotOwned',
  },
  'a Secret of another type can not be adopted': {
    check: refusals.secretIsForeign,
    seen: anObserved().withForeignSecret({ adoptBy: 'client', type: 'Opaque' }).build(),
    says: "its type Opaque can't be changed",
  },
  'an identity that X.509 has no form for is refused': {
    check: refusals.identityCanNotBeWritten,
    seen: named({ usages: ['client auth', 'key encipherment'] }).build(),
    says: 'key encipherment',
  },
  'a malformed IP address is refused': {
    check: refusals.identityCanNotBeWritten,
    seen: named({ ipAddresses: ['1.2.3.4.5'] }).build(),
    says: 'ipAddresses',
  },
  'an ordinary identity is not refused': {
    check: refusals.identityCanNotBeWritten,
    seen: named({ dnsNames: ['a.example'], ipAddresses: ['::1'] }).build(),
    says: undefined,
  },
  'the authority is there': { check: refusals.authorityIsMissing, seen: issued.build(), says: undefined },
  'there is no authority in this namespace': {
    check: refusals.authorityIsMissing,
    seen: issued.from('AuthorityNotFound').build(),
    says: 'no CertificateAuthority ca in namespace team',
  },
  'there is no authority in the cluster': {
    check: refusals.authorityIsMissing,
    seen: named({ authorityRef: { kind: 'ClusterCertificateAuthority', name: 'root' } })
      .from('AuthorityNotFound')
      .build(),
    says: 'no ClusterCertificateAuthority root',
  },
  'the authority is broken': {
    check: refusals.authorityIsMissing,
    seen: issued.from('AuthorityNotReady').build(),
    says: '"code":"AuthorityNotReady"',
  },
  'cluster authorities are not served': {
    check: refusals.authorityIsMissing,
    seen: issued.from('ClusterAuthorityNotServed').build(),
    says: 'serves single namespaces only',
  },
  'the labels of the namespace are not known yet': {
    check: refusals.authorityIsMissing,
    seen: issued.from('NamespaceNotSeen').build(),
    says: 'those of namespace team are not known yet',
  },
  'the cluster authority does not serve this namespace': {
    check: refusals.authorityIsMissing,
    seen: issued.from('NamespaceNotAllowed').build(),
    says: 'does not list namespace team',
  },
});

test('a check of the authority has nothing to say where there is none', () => {
  const seen = issued.from('AuthorityNotFound').build();
  const all: AnyCheck[] = [
    refusals.asksForSystemIdentity,
    refusals.exceedsLimits,
    refusals.unsupportedByAuthority,
    needs.comesFromElsewhere,
    needs.signedByFormerGeneration,
    obstacles.authorityIsNotReady,
    flaws.trustHasChanged,
  ];
  for (const each of all) assert.is(each(seen, NOW), undefined);
});

table({
  'a certificate that ends with its CA gains nothing from a renewal': {
    check: (seen) => (seen.secret?.certificate && needs.endsWithItsCA(seen.secret.certificate, seen)) || undefined,
    seen: issued.from({ signing: aSigning({ since: NOW, notAfter: after(DAY) }) }).build(),
    says: 'true',
  },
  'a certificate that ends before its CA gains from a renewal': {
    check: (seen) => (seen.secret?.certificate && needs.endsWithItsCA(seen.secret.certificate, seen)) || undefined,
    seen: issued.from({ signing: aSigning({ since: NOW, notAfter: after(DAY + 1) }) }).build(),
    says: undefined,
  },
});

test.run();
