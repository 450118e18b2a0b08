import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aCertificate, anObserved, NOW } from '../../../test/unit/builders.ts';
import { plainly } from '../../../test/unit/rendered.ts';
import { secretManifest } from '../secret/manifest.ts';
import { decide } from './decide.ts';
import { deniedKey, EXPORTING_PREFIXES, withoutNewExports } from './exported-keys.ts';
import { templateExportsTheKey } from './refusals.ts';

/** As the documentation of each program spells it. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  annotations: [
    'reflector.v1.k8s.emberstack.com/reflection-allowed',
    'reflector.v1.k8s.emberstack.com/reflection-auto-enabled',
    'replicator.v1.mittwald.de/replicate-to',
    'replicator.v1.mittwald.de/replicate-to-matching',
    'replicator.v1.mittwald.de/replication-allowed',
    'k8s-replicator/replicate-to',
    'kubed.appscode.com/sync',
    'kubed.appscode.com/sync-contexts',
    'propagate.hnc.x-k8s.io/select',
    'propagate.hnc.x-k8s.io/all',
    'accurate.cybozu.com/propagate',
    'jenkins.io/credentials-keybinding-text',
    'synator/sync',
    'secretsync.ibm.com/replicate',
    'replizieren.dev/replicate-all',
    'duplicator.k8s.nicktriller.com/duplicate',
  ],
  labels: [
    'synator/sync',
    'argocd.argoproj.io/secret-type',
    'jenkins.io/credentials-type',
    'management.cattle.io/project-scoped-secret',
  ],
};
const HARMLESS = {
  labels: { team: 'payments', 'app.kubernetes.io/part-of': 'shop', constructor: 'x' },
  annotations: {
    'reloader.stakater.com/match': 'true',
    'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
    'example.com/reflector.v1.k8s.emberstack.com': 'true',
    'reflector.v1.k8s.emberstack.com.example.com/reflection-allowed': 'true',
  },
};

const COPY = 'replicator.v1.mittwald.de/replicate-to';

function seenWith(secretTemplate: object, prefixes = EXPORTING_PREFIXES) {
  return anObserved(aCertificate({ secretTemplate })).withSecret().build().with({ deniedPrefixes: prefixes });
}

for (const [field, keys] of Object.entries(KNOWN))
  for (const key of keys)
    test(`${key} in the ${field} of a template is refused, with key and flag`, () => {
      const seen = seenWith({ [field]: { [key]: 'true' } });
      const refusal = templateExportsTheKey(seen);
      assert.is(refusal?.code, 'TemplateKeyDenied');
      assert.match(refusal?.message ?? '', `spec.secretTemplate.${field} has the key ${key},`);
      assert.match(refusal?.message ?? '', '--denied-template-prefixes');
      assert.equal(decide(seen, NOW), refusal);
      assert.is(templateExportsTheKey(seenWith({ [field]: { [key]: 'true' } }, [])), undefined);
    });

test('keys that make nothing copy a Secret are not refused', () => {
  assert.is(templateExportsTheKey(seenWith(HARMLESS)), undefined);
  assert.is(decide(seenWith(HARMLESS), NOW).do, 'settle');
});

test('a prefix of the operator is refused as the known ones are', () => {
  const refusal = templateExportsTheKey(seenWith({ labels: { 'push.example.com/now': 'x' } }, ['push.example.com/']));
  assert.match(refusal?.message ?? '', 'lists push.example.com/');
  assert.is(deniedKey(aCertificate().build(), EXPORTING_PREFIXES), undefined);
});

test('a write for a refused resource brings no denied key to the Secret, and takes none away', () => {
  const secretTemplate = {
    labels: { team: 'shop', 'argocd.argoproj.io/secret-type': 'cluster' },
    annotations: { [COPY]: 'attacker', 'synator/sync': 'yes' },
  };
  const { resource } = seenWith(secretTemplate);
  const before = { labels: { team: 'shop' }, annotations: { 'synator/sync': 'yes', [COPY]: 'friend' } };
  const { spec } = withoutNewExports(resource, before, EXPORTING_PREFIXES);
  assert.equal(spec.secretLabels, { team: 'shop' });
  assert.equal(spec.secretAnnotations, { 'synator/sync': 'yes' });
  assert.equal(withoutNewExports(resource, undefined, EXPORTING_PREFIXES).spec.secretAnnotations, {});
  assert.is(withoutNewExports(resource, undefined, []), resource);
});

test('the trust bundle of a refused resource is repaired without its denied key', () => {
  const clean = aCertificate();
  const asking = clean.asking({ secretTemplate: { annotations: { [COPY]: 'attacker' } } }).build();
  const seen = anObserved(clean).withSecret({ trustBundleHash: 'hash of before' }).build();
  const refused = seen.with({ resource: asking, deniedPrefixes: EXPORTING_PREFIXES });
  assert.equal(decide(refused, NOW), { do: 'repair', message: 'the trust bundle has changed' });
  const data = { certificateChain: '', privateKey: '', trustBundle: '' };
  const { annotations } = secretManifest(
    withoutNewExports(asking, seen.secret, EXPORTING_PREFIXES),
    plainly(data, asking),
    seen.secret?.memory as never,
    seen.secret,
  ).metadata;
  assert.not.ok(Object.keys(annotations).includes(COPY));
});

test.run();
