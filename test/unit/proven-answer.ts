/** Answers of an authority to one request, and the proof of them. */
import * as assert from 'uvu/assert';
import { type CarriedField, type Expected, proveIssued } from '../../src/pki/chain.ts';
import { generateKey, publicKeyDer } from '../../src/pki/keys.ts';
import { type Holder, type LeafOptions, leaf, NOW, root, signIntermediate } from '../pki/make.ts';

export const ca = await root();
export const upper = await signIntermediate(ca, { commonName: 'Upper' });
export const lower = await signIntermediate(upper, { commonName: 'Lower' });
export const stranger = await root({ commonName: 'Stranger' });
export const key = await generateKey({ algorithm: 'ECDSA', size: 256 });
export const ALL: readonly CarriedField[] = [
  'commonName',
  'subject',
  'dnsNames',
  'uris',
  'emailAddresses',
  'ipAddresses',
];
export const ASKED = {
  subject: { commonName: 'client', organizations: ['team'] },
  names: { dnsNames: ['a.example'], uris: ['spiffe://td.example/a'], emailAddresses: [], ipAddresses: ['2001:db8::1'] },
  usages: ['digital signature', 'client auth'],
};
export const EXPECTED: Expected = { ...ASKED, publicKeyDer: publicKeyDer(key), now: NOW };

export const ask = (holder: Holder, options: LeafOptions = {}) => leaf(holder, { ...ASKED, key, ...options });

export interface Case {
  answer?: LeafOptions;
  signer?: Holder;
  others?: Holder[];
  anchors?: Holder[];
  expected?: Partial<Expected>;
  carries?: readonly CarriedField[];
}

export async function prove({ answer, signer = ca, others = [], anchors = [ca], expected, carries = ALL }: Case) {
  const issued = await ask(signer, answer);
  return proveIssued({
    chain: [issued, ...others].map(({ certificate }) => certificate),
    anchors: anchors.map(({ certificate }) => certificate),
    expected: { ...EXPECTED, ...expected },
    carries,
  });
}

export async function rejects(wrong: Case, message: string): Promise<void> {
  const flaw = await prove(wrong);
  assert.ok(flaw?.problem.includes(message), flaw?.problem ?? 'accepted');
  assert.is(flaw?.validInMs, undefined);
}

export async function accepts(right: Case): Promise<void> {
  assert.is((await prove(right))?.problem, undefined);
}
