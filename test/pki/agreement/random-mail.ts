/** Random CAs whose constraints concern mail addresses. */
import fc from 'fast-check';
import type { CaContent, LeafContent } from '../constrained.ts';
import { nameConstraints } from '../write-extensions.ts';

const of = fc.constantFrom;

/** Mail alone, so that its forms meet often: addresses, hosts and domains, equal, one within the other, and apart. */
const HOSTS = ['example.com', 'mail.Example.com', 'zoo.example'];
const MAILBOXES = ['ops', 'Ops'].flatMap((local) => HOSTS.map((host) => `${local}@${host}`));
const mailSubtree = of(...MAILBOXES, ...HOSTS, ...HOSTS.map((host) => `.${host}`)).map((each) => `email:${each}`);
const mailList = fc.array(mailSubtree, { minLength: 1, maxLength: 3 });
export const mailIssuer: fc.Arbitrary<CaContent> = fc
  .record({
    permitted: fc.oneof(mailList, of(undefined, ['IP:10.0.0.0/255.0.0.0'])),
    excluded: fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      mailSubtree.map((each) => [each]),
    ),
    critical: of(true, false),
    mails: fc.oneof(
      { weight: 6, arbitrary: fc.constant([]) },
      of(...MAILBOXES).map((each) => [each]),
    ),
  })
  .map(({ permitted, excluded, critical, mails }) => ({
    names: { dnsNames: [], uris: [], emailAddresses: mails, ipAddresses: [] },
    extensions: permitted || excluded ? [nameConstraints({ permitted, excluded }, critical)] : [],
  }));
export const mailLeaf: fc.Arbitrary<LeafContent> = of(...MAILBOXES).map((address) => ({
  subject: { commonName: 'the client' },
  names: { dnsNames: [], uris: [], emailAddresses: [address], ipAddresses: [] },
}));
