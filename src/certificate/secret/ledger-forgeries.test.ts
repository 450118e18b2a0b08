import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { after, DAY, HOUR, MINUTE, NOW, SECOND } from '../../../test/unit/builders.ts';
import { mergeLedgers } from '../../authority/ledger-secret.ts';
import { type LedgerEntry, nextLedger, readLedger, sealedEntries } from './ledger.ts';
import { type Seal, sealWith } from './seal.ts';

const ISSUER = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const INTERNAL = 'CertificateAuthority/internal';
const SHARED = 'ClusterCertificateAuthority/shared';
const KEY = randomBytes(32);
const seal = sealWith(() => KEY);

const AUTHORITIES = [INTERNAL, SHARED, 'CertificateAuthority/shared'];
const NAMESPACES = ['shop', 'shopp', 'mine'];

/** Few serial numbers, ends and ids, so that those of one authority meet those of others. */
const issued = fc.record({
  serialNumber: fc.constantFrom('0a', '0b', '0c', 'ff01'),
  notAfter: fc.constantFrom(after(HOUR), after(DAY)),
  externalId: fc.constantFrom(undefined, 'order/1', 'order/2'),
  issuerFingerprint: fc.constantFrom(ISSUER, OTHER),
  issuedAt: fc.constantFrom(NOW, after(MINUTE), undefined),
});

type Step =
  | { readonly do: 'issue'; readonly secret: number; readonly authority: string; readonly entry: LedgerEntry }
  | { readonly do: 'repair'; readonly secret: number }
  | { readonly do: 'delete'; readonly secret: number }
  | { readonly do: 'rename'; readonly secret: number; readonly of: string; readonly to: string }
  | { readonly do: 'splice'; readonly secret: number; readonly from: readonly (readonly [number, number, number])[] }
  | { readonly do: 'edit'; readonly secret: number; readonly at: number; readonly part: string; readonly over: number };

const secret = fc.nat({ max: 5 });
const part = fc.oneof(
  fc.constantFrom('seal=', `@${OTHER}`, '@', '0b=2026-06-02T12:00:00Z', '0a=2026-06-02T12:00:00Z=order/2'),
  fc.constantFrom('issued=1', 'issued=', `seal=${'A'.repeat(22)}=${SHARED}`, 'dropped=2026-06-02T12:00:00Z', ''),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('issue' as const),
    secret,
    authority: fc.constantFrom(...AUTHORITIES),
    entry: issued,
  }),
  fc.record({ do: fc.constant('repair' as const), secret }),
  fc.record({ do: fc.constant('delete' as const), secret }),
  fc.record({
    do: fc.constant('rename' as const),
    secret,
    of: fc.constantFrom(...AUTHORITIES),
    to: fc.constantFrom(...AUTHORITIES),
  }),
  fc.record({
    do: fc.constant('splice' as const),
    secret,
    from: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 8 }), fc.nat({ max: 8 })), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ do: fc.constant('edit' as const), secret, at: fc.nat({ max: 12 }), part, over: fc.nat({ max: 2 }) }),
);

/**
 * Six Secrets in three namespaces, the ledgers beside the authority, and a tenant who has read every text that there ever was
 * and may write all of them. Answers each text with its namespace.
 */
function play(steps: readonly Step[], by: Seal) {
  const texts = Array.from({ length: 6 }, () => '');
  const history: string[] = [''];
  const books = new Set<string>();
  let beside: ReadonlyMap<string, string> = new Map();
  for (const [index, each] of steps.entries()) {
    const now = after(index * SECOND);
    const namespace = NAMESPACES[each.secret % 3] ?? '';
    const sealing = { seal: by, namespace };
    const text = texts[each.secret] ?? '';
    if (each.do === 'issue') {
      for (const fact of factsOf(each.entry)) books.add(`${each.authority} ${namespace} ${fact}`);
      texts[each.secret] = nextLedger(text, [{ ...each.entry, sealedFor: each.authority }], now, sealing);
    } else if (each.do === 'repair') {
      texts[each.secret] = nextLedger(text, [], now, sealing);
    } else if (each.do === 'delete') {
      beside = mergeLedgers(beside, new Map([[namespace, text]]), now, by);
      texts[each.secret] = '';
    } else if (each.do === 'splice') {
      const pieces = each.from.flatMap(([which, from, length]) =>
        (history[which % history.length] ?? '').split(',').slice(from, from + length),
      );
      texts[each.secret] = pieces.join(',');
    } else if (each.do === 'rename') {
      texts[each.secret] = text.replaceAll(`=${each.of}`, `=${each.to}`);
    } else texts[each.secret] = text.split(',').toSpliced(each.at, each.over, each.part).join(',');
    history.push(texts[each.secret] ?? '', ...beside.values());
  }
  const all = texts.map((text, index) => [NAMESPACES[index % 3] ?? '', text] as const);
  return { texts: [...all, ...beside], books };
}

/** Each thing that an entry says, by its serial number and end. */
function factsOf({ serialNumber, notAfter, externalId, issuerFingerprint, issuedAt }: LedgerEntry): string[] {
  const id = `${serialNumber} ${notAfter.toISOString()}`;
  const facts = { externalId, issuerFingerprint, issuedAt: issuedAt?.toISOString() };
  return [
    id,
    ...Object.entries(facts).flatMap(([what, value]) => (value === undefined ? [] : `${id} ${what} ${value}`)),
  ];
}

/** What the texts prove to the controller and what it never issued. */
function forgeriesIn(steps: readonly Step[], by: Seal): string[] {
  const { texts, books } = play(steps, by);
  return texts.flatMap(([namespace, text]) =>
    AUTHORITIES.flatMap((authority) =>
      sealedEntries(text, { authority, namespace }, by)
        .flatMap(factsOf)
        .map((fact) => `${authority} ${namespace} ${fact}`)
        .filter((fact) => !books.has(fact)),
    ),
  );
}

const plays = fc.array(step, { minLength: 1, maxLength: 25 });
const RUNS = { numRuns: 1_500 };

test('no writes of the controller and no forgeries of a tenant prove what was not issued there by that authority', () => {
  fc.assert(
    fc.property(plays, (steps) => assert.equal(forgeriesIn(steps, seal), [])),
    RUNS,
  );
});

const WEAK: Readonly<Record<string, Seal>> = {
  'without a key': { ...seal, isKnown: true, verifies: () => true },
  'that forgets the namespace': bound((context) => ({ ...context, namespace: '' })),
  'that forgets the authority': bound((context) => ({ ...context, authority: '' })),
};

function bound(of: (context: { authority: string; namespace: string }) => typeof context): Seal {
  return {
    isKnown: true,
    sign: (context, text) => seal.sign(of(context), text),
    verifies: (context, text, mac) => seal.verifies(of(context), text, mac),
  };
}

for (const [name, weak] of Object.entries(WEAK)) {
  test(`the same plays forge a seal ${name}`, () => {
    const { failed } = fc.check(
      fc.property(plays, (steps) => forgeriesIn(steps, weak).length === 0),
      RUNS,
    );
    assert.ok(failed);
  });
}

test('without forgeries all that is valid is sealed', () => {
  const steps = fc.array(
    step.filter((each) => each.do === 'issue' || each.do === 'repair'),
    { maxLength: 25 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const { texts } = play(all, seal);
      for (const [, text] of texts) assert.is(/(^|,)seal=[^=]*$/.test(text), false);
      const entries = texts.flatMap(([namespace, text]) => readLedger(text, { seal, namespace }).entries);
      assert.ok(entries.every(({ sealedFor }) => sealedFor !== undefined));
    }),
  );
});

test.run();
