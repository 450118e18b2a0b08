import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alterSecrets } from '../support/admission.ts';
import { patchCertificate, renewAt } from '../support/edits.ts';
import { eventually } from '../support/eventually.ts';
import { lazily } from '../support/lazily.ts';
import {
  clientCertificate,
  create,
  createAuthority,
  readSecret,
  selfManaged,
  statusOf,
  untilReady,
} from '../support/objects.ts';
import { eventsOf, signatures } from '../support/recorded.ts';
import { oneScene } from '../support/scene.ts';

/** For this long no further certificate is signed. Retries come after 1, 2 and 4 s. */
const QUIET_MS = 4_000;

const scene = oneScene({ authority: false });
test.after(scene.stop);

interface Alteration {
  readonly patch: string;
  readonly has: string;
  readonly field: RegExp;
  /** Whether the Secret is useless afterwards, or no longer Certwheel's. */
  readonly vital: boolean;
}

/** JSON patches in CEL, each of one field that Certwheel writes. */
const ALTERATIONS: Readonly<
  Record<string, { readonly patch: string; readonly has: string; readonly field: RegExp; readonly vital: boolean }>
> = {
  'takes ca.crt away': {
    patch: `JSONPatch{op: "remove", path: "/data/ca.crt"}`,
    has: `has(object.data) && "ca.crt" in object.data`,
    field: /\(data\.ca\.crt\)/,
    vital: true,
  },
  'changes a byte of ca.crt': {
    patch: `JSONPatch{op: "replace", path: "/data/ca.crt", value: "Z2FyYmFnZQ=="}`,
    has: `has(object.data) && "ca.crt" in object.data`,
    field: /\(data\.ca\.crt\)/,
    vital: true,
  },
  'takes our label away': {
    patch: `JSONPatch{op: "remove", path: "/metadata/labels/certwheel.io~1certificate-name"}`,
    has: `has(object.metadata.labels) && "certwheel.io/certificate-name" in object.metadata.labels`,
    field: /\(metadata\.labels\.certwheel\.io\/certificate-name\)/,
    vital: true,
  },
  'takes our uid away': {
    patch: `JSONPatch{op: "remove", path: "/metadata/annotations/certwheel.io~1certificate-uid"}`,
    has: `has(object.metadata.annotations) && "certwheel.io/certificate-uid" in object.metadata.annotations`,
    field: /\(metadata\.annotations\.certwheel\.io\/certificate-uid\)/,
    vital: true,
  },
  'takes an annotation away': {
    patch: `JSONPatch{op: "remove", path: "/metadata/annotations/certwheel.io~1issued-at"}`,
    has: `has(object.metadata.annotations) && "certwheel.io/issued-at" in object.metadata.annotations`,
    field: /\(metadata\.annotations\.certwheel\.io\/issued-at\)/,
    vital: false,
  },
};

/** The certificates alone, not the generations of the CA. */
const OF_CERTIFICATES = '!has(object.metadata.labels) || !("certwheel.io/authority-name" in object.metadata.labels)';

async function firstIssue({ patch, has, field, vital }: Alteration): Promise<void> {
  const { world, controller } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  const policy = await alterSecrets(world, namespace, patch, [OF_CERTIFICATES, has]);
  await create(world, clientCertificate(namespace, 'new'));
  const status = await eventually('status tells that the Secret was altered', async () => {
    const found = await statusOf(world, namespace, 'new');
    return found.lastFailure?.reason === 'SecretAltered' && found;
  });
  assert.match(status.lastFailure?.message ?? '', field);
  await sleep(QUIET_MS);
  assert.ok(
    signatures(controller, namespace, 'new') <= (vital ? 2 : 4),
    `${signatures(controller, namespace, 'new')} signatures`,
  );
  const warnings = (await eventsOf(world, namespace, 'new')).filter(({ reason }) => reason === 'Retrying');
  assert.is(warnings.length, 1, 'one Warning');
  await policy.lift();
  await untilReady(world, namespace, 'new');
  assert.ok((await statusOf(world, namespace, 'new')).lastFailure === undefined, 'and the failure is forgotten');
}

async function goodCertificate({ patch, has, vital }: Alteration): Promise<void> {
  const { world, controller } = await scene.get();
  const namespace = await world.namespace();
  await createAuthority(world, selfManaged(namespace));
  // The longest pause between two attempts scales with the life: 30 s here.
  await create(world, clientCertificate(namespace, 'old', { duration: '10m' }));
  await untilReady(world, namespace, 'old');
  const policy = await alterSecrets(world, namespace, patch, [OF_CERTIFICATES, has]);
  // A write that changes no certificate; it makes the alteration known.
  await patchCertificate(world, namespace, 'old', { spec: { secretTemplate: { labels: { team: 'a' } } } });
  await eventually('status tells that the Secret was altered', async () => {
    return (await statusOf(world, namespace, 'old')).lastFailure?.reason === 'SecretAltered';
  });
  await renewAt(world, namespace, 'old');
  await sleep(QUIET_MS);
  const before = signatures(controller, namespace, 'old');
  if (vital) assert.ok(before <= 2, `${before} signatures`);
  const held = await readSecret(world, namespace, 'old-tls');
  assert.ok(held?.leaf, 'the certificate is there');
  await policy.lift();
  await eventually('the renewal that was asked for is done, and the failure forgotten', async () => {
    const { lastFailure, revision = 0, conditions = [] } = await statusOf(world, namespace, 'old');
    return lastFailure === undefined && revision >= 2 && conditions.every(({ type }) => type === 'Ready');
  });
}

/** All at the same time, each in a namespace of its own, since most of their time is waiting. */
const begun = lazily(async () => {
  await scene.get();
  const begin = (run: (alteration: Alteration) => Promise<void>) =>
    Object.entries(ALTERATIONS).map(([what, alteration]) => {
      const running = run(alteration);
      // The error belongs to the test of this alteration.
      running.catch(() => {});
      return [what, running] as const;
    });
  return { first: new Map(begin(firstIssue)), good: new Map(begin(goodCertificate)) };
});

for (const what of Object.keys(ALTERATIONS)) {
  test(`an admission that ${what}: a first issue fails and says so, signs little, and succeeds once it is gone`, async () =>
    (await begun.get()).first.get(what));
  test(`an admission that ${what}: a certificate that is good is kept, and renewed once the admission is gone`, async () =>
    (await begun.get()).good.get(what));
}

test.run();
