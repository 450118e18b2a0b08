import { randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pairOf, root, signIntermediate } from '../../test/pki/make.ts';
import { aGeneration } from '../../test/unit/a-generation.ts';
import { crlOf, hence } from '../../test/unit/responder-world.ts';
import { bundle, first, object, owner, view } from '../../test/unit/trust-target.ts';
import type { TrustTarget } from '../api/trust-targets.ts';
import { revokedEntry } from '../pki/crl.ts';
import { type CrlSet, crlSetOf } from '../revocation/crl/crl-set.ts';
import type { CrlState } from '../revocation/crl/known-crls.ts';
import { complete } from './complete.ts';
import { crlProofs } from './crl-proofs.ts';
import type { DesiredTarget } from './desired.ts';
import { contentId } from './judge.ts';
import { targetManifest } from './manifest.ts';
import { TargetsMemory } from './memory.ts';
import { surveyTargets } from './survey.ts';
import { crlCondition, type TargetCrls } from './target-crls.ts';
import type { TargetView } from './view.ts';

const LIFE = { notBefore: hence(-48), notAfter: hence(480) };
const NOW = hence(0);
const top = await root(LIFE);
const below = await signIntermediate(top, LIFE);
const ofTop = (await crlOf([], NOW, top)).crl;
const [former, latter] = [(await crlOf([], NOW, below)).crl, (await crlOf([], hence(0.5), below)).crl];
const chain = [below.certificate, top.certificate];
const generation = aGeneration(1, 'Prepared', pairOf(below, top));
const setOf = (...crls: (typeof ofTop)[]) => crlSetOf([{ version: 1, chain }], crls, NOW);
const crls = (set: CrlSet, more: Partial<TargetCrls> = {}): TargetCrls => ({
  ...{ set, refused: [], unread: undefined, nextEnd: undefined },
  ...more,
});
const target: TrustTarget = {
  ...{ name: 'gateways', kind: 'ConfigMap', object: 'client-ca', signerName: undefined, formats: [] },
  ...{ namespaces: { all: true }, requiredProof: 'Written', crlKey: 'list.pem' },
};
const wanted: readonly DesiredTarget[] = [{ target, objects: [object], trouble: undefined, unreached: [] }];
const trust = bundle(first);

/** The object as it is written, and as the API server shows it. */
async function written(set: CrlSet) {
  const { targets } = await complete(wanted, trust, crls(set));
  const [desired] = targets[0]?.objects ?? [];
  if (desired === undefined) throw new Error('no object');
  const manifest = targetManifest(owner, { ...desired, kind: 'ConfigMap' }, trust, undefined, NOW) as unknown as {
    metadata: object;
    data: Record<string, string>;
    binaryData?: object;
  };
  return { desired, manifest, seen: view({ metadata: manifest.metadata, data: manifest.data }) };
}

async function surveyed(held: TargetView | undefined, of: TargetCrls) {
  const { targets, crls: found } = await complete(wanted, trust, of);
  const seen = { view: () => held, unknown: () => undefined };
  return surveyTargets(owner, targets, trust, seen, { memory: new TargetsMemory(), now: NOW, crls: found });
}

const state = (...versions: number[]): CrlState => ({
  crls: new Map(versions.map((each) => [each, former])),
  problems: new Map(),
  unread: undefined,
});
const waits = (proofs: ReturnType<typeof crlProofs>) =>
  proofs.filter(({ since }) => since === undefined).map(({ subject, waiting }) => `${subject}: ${waiting}`);
const resource = { ...owner, trustTargets: [target] };

test('CRLs are text in a ConfigMap, and the object is written anew when one changes', async () => {
  const one = await written(setOf(former, ofTop));
  assert.is(one.manifest.data['list.pem'], setOf(former, ofTop).pem);
  assert.is(one.manifest.binaryData, undefined);
  const other = await written(setOf(latter, ofTop));
  const judged = async (of: CrlSet) => (await surveyed(one.seen, crls(of))).writes.size;
  assert.equal([await judged(setOf(former, ofTop)), await judged(setOf(latter, ofTop))], [0, 1]);
  assert.is.not(contentId(one.desired, trust), contentId(other.desired, trust), 'so that it is no repair');
});

test('an object is not written while the CRLs are unknown: its key would go', async () => {
  const { seen } = await written(setOf(former, ofTop));
  const found = await surveyed(seen, crls(setOf(), { unread: 'not read' }));
  assert.is(found.writes.size, 0);
  assert.equal(found.targets[0]?.objects[0]?.trouble, { code: 'TrustTargetPending', message: 'not read' });
});

test('CRLs that do not fit beside the CA certificates are left out, with their sizes; 14,000 entries fit', async () => {
  const sized = async (entries: number) => {
    const der = Buffer.concat(
      Array.from({ length: entries }, () =>
        revokedEntry({ serialNumber: `4f${randomBytes(18).toString('hex')}`, revokedAt: NOW, reasonCode: 1 }),
      ),
    );
    const pem = `-----BEGIN X509 CRL-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n`;
    return complete(wanted, trust, crls({ ...setOf(former), pem }));
  };
  const fits = await sized(14_000);
  assert.equal(fits.crls?.tooLarge, []);
  assert.ok(fits.targets[0]?.objects[0]?.stores?.files['list.pem']);
  const { targets, crls: found } = await sized(15_000);
  assert.equal(targets[0]?.objects[0]?.stores?.files, {});
  if (found === undefined) throw new Error('no CRLs');
  const [said] = crlCondition(found, found.tooLarge);
  assert.is(said?.reason, 'CRLsTooLarge');
  assert.match(said?.message ?? '', /target gateways has no room .* 10\d{5} bytes, .* takes 1048576/);
});

test('a CA waits until its CRL is published and in each object; a former CRL of it counts', async () => {
  const evidence = { signing: [], survey: undefined };
  assert.match(waits(crlProofs(resource, generation, { ...evidence, state: undefined })).join(), 'not published yet');
  const problem = { ...state(), problems: new Map([[1, 'it lacks cRLSign']]) };
  assert.equal(waits(crlProofs(resource, generation, { ...evidence, state: problem })), [
    'the CRL of CA generation 1: it lacks cRLSign',
  ]);
  assert.match(waits(crlProofs(resource, generation, { ...evidence, state: state(1) })).join(), 'not known yet');
  const plain = { ...resource, trustTargets: [{ ...target, crlKey: undefined }] };
  assert.equal(waits(crlProofs(plain, generation, { ...evidence, state: state(1) })), [], 'over HTTP alone');

  const [without, with1] = [await written(setOf()), await written(setOf(former))];
  const waiting = async (seen: TargetView | undefined, of = setOf(latter)) =>
    waits(crlProofs(resource, generation, { signing: [], state: state(1), survey: await surveyed(seen, crls(of)) }));
  assert.equal(await waiting(with1.seen), []);
  for (const seen of [undefined, without.seen, { ...with1.seen, mark: '' }, { ...with1.seen, stores: 'list.pem:x' }])
    assert.match((await waiting(seen)).join(' | '), /^ConfigMap shop\/client-ca, key list\.pem: [^|]*$/);
});

test('the CRLs of upper CAs are waited for where the CA that signs has its own', async () => {
  const other = await root(LIFE);
  const otherCrl = (await crlOf([], NOW, other)).crl;
  const both = [
    { version: 1, chain },
    { version: 2, chain: [other.certificate] },
  ];
  const set = crlSetOf(both, [former, otherCrl], NOW);
  const { seen } = await written(set);
  const survey = await surveyed(seen, crls(set));
  const waiting = (...signing: (typeof chain)[]) =>
    waits(crlProofs(resource, generation, { signing, state: state(1), survey }));
  assert.equal(waiting(chain), [], 'it lacks the same');
  assert.match(waiting([other.certificate]).join(), /^the CRL of O=Certwheel, CN=Test CA v1: put it into a ConfigMap/);
});

test('the condition names the CA without a CRL, and what to do', () => {
  const said = (of: TargetCrls) => crlCondition(of, [])[0];
  assert.is(said(crls(setOf(former, ofTop))), undefined);
  const upper = said(crls(setOf(former), { refused: ['ConfigMap ns/root: it has expired'] }));
  assert.is(upper?.reason, 'CRLMissing');
  assert.match(upper?.message ?? '', /CN=Test CA v1, above CA generation 1.*crl\.upper; refused: ConfigMap ns\/root/);
  assert.match(said(crls(setOf(ofTop)))?.message ?? '', 'CN=Test Intermediate, CA generation 1, has no CRL');
  assert.is(said(crls(setOf(former, ofTop), { refused: ['x'] }))?.reason, 'UpperCRLRefused');
  assert.is(said(crls(setOf(), { unread: 'x' }))?.reason, 'CRLsUnknown');
});

test.run();
