import { CERTIFY_AGAIN, type Kind, kindsOf } from './kind.ts';

/** Intermediates, and where their issuers lie: in tls.crt, in ca.crt, or nowhere. */
const { ready, strict, refused } = kindsOf('openssl');

const INT = 'root r; intermediate int r';
const missing = (child: string, root: string) => ({
  ground: 'path' as const,
  message: new RegExp(`CN=${root} .*CN=${child} is missing.*ca\\.crt`),
  remedy: 'Put the missing certificate into the key ca.crt.',
});

export const CHAINS: readonly Kind[] = [
  ready('an intermediate and its root in tls.crt', `${INT}; pair int r`),
  ready('an intermediate in tls.crt, its root in ca.crt', `${INT}; pair int; cp r.crt ca.crt`),
  ready('the root in front of the intermediate in tls.crt', `${INT}; pair int; cat r.crt int.crt >tls.crt`),
  ready('two intermediates and the root in tls.crt', `${INT}; intermediate low int; pair low int r`),
  ready('three intermediates in any order', `${INT}; intermediate mid int; intermediate low mid; pair low r int mid`),
  ready(
    'the upper intermediate and the root in ca.crt',
    `${INT}; intermediate low int; pair low; cat r.crt int.crt >ca.crt`,
  ),
  ready('the whole chain in tls.crt and in ca.crt', `${INT}; pair int r; cp tls.crt ca.crt`),
  ready('the root in tls.crt and in ca.crt', 'root r; pair r; cp r.crt ca.crt'),
  ready('each certificate twice', `${INT}; pair int r int r`),
  ready(
    'an intermediate with a path length of 0 below a root with one of 1',
    'certify r self "$CA1"; certify int r "$CA0" "$AKI"; pair int r',
  ),
  refused('an intermediate without its root', `${INT}; pair int`, missing('int', 'r')),
  refused('two intermediates without their root', `${INT}; intermediate low int; pair low int`, missing('int', 'r')),
  refused(
    'a chain without its middle',
    `${INT}; intermediate low int; pair low; cp r.crt ca.crt`,
    missing('low', 'int'),
  ),
  refused(
    'an intermediate with another root in ca.crt',
    `${INT}; root other; pair int; cp other.crt ca.crt`,
    missing('int', 'r'),
  ),
  ready('an unrelated root in tls.crt', `${INT}; root other; pair int other r`),
  ready('an unrelated root in ca.crt', `${INT}; root other; pair int; cat other.crt r.crt >ca.crt`),
  ready('an unrelated root in a ca.crt that is not needed', 'root r; root other; pair r; cp other.crt ca.crt'),
  ready(
    'a leaf of the CA in front of it in tls.crt',
    `${INT}; certify leaf int extendedKeyUsage=clientAuth; pair int; cat leaf.crt int.crt r.crt >tls.crt`,
  ),
  refused(
    'a leaf with its key',
    `${INT}; certify leaf int basicConstraints=critical,CA:false extendedKeyUsage=clientAuth; pair leaf int r`,
    {
      ground: 'path',
      message: /tls\.crt.*CN=leaf.*not a CA/,
      remedy: 'Give the pair of the CA, not of a certificate that it has issued.',
    },
  ),
  refused(
    'an intermediate below a root with a path length of 0',
    'certify r self "$CA0"; intermediate int r; pair int r',
    {
      ground: 'path',
      message: /tls\.crt.*CN=r .*(path length|allows 0)/,
      remedy: 'Use the root itself, or a root that allows CAs below it.',
    },
  ),
  refused(
    'an intermediate that is not a CA',
    'root r; certify int r basicConstraints=critical,CA:false "$AKI"; intermediate low int; pair low int r',
    {
      ground: 'path',
      message: /CN=int .*not a CA/,
      remedy: 'Sign the lower CA with a certificate that is a CA.',
    },
  ),
  refused('an intermediate that is signed with SHA-1', 'root r; SIGN=-sha1 intermediate int r; pair int r', {
    ground: 'path',
    message: /tls\.crt.*CN=int .*SHA-?1/i,
    remedy: 'Have the root sign it again with SHA-256.',
  }),
  refused(
    'a root with an RSA key of 1024 bits above an intermediate',
    'rsa_key r 1024; root r; intermediate int r; pair int r',
    {
      ground: 'rule',
      message: /CN=r .*1024 bits/,
      remedy: 'Make a root with at least 2048 bits.',
    },
  ),
  strict(
    'an intermediate without a key usage',
    'root r; certify int r basicConstraints=critical,CA:true subjectKeyIdentifier=hash "$AKI"; pair int r',
    {
      message: /CN=int.*key ?usage.*Python 3\.13.*openssl/i,
      remedy: CERTIFY_AGAIN,
    },
  ),
  strict(
    'an intermediate without an authority key identifier',
    'root r; certify int r "$CA" authorityKeyIdentifier=none; pair int r',
    {
      message: /CN=int.*key ?id.*Python 3\.13.*openssl/i,
      remedy: CERTIFY_AGAIN,
    },
  ),
];

const renew = 'TO=20240101000000Z';

/** Several certificates of one name and key, and several roots above one key. */
export const RENEWALS: readonly Kind[] = [
  ready(
    'an expired certificate in front of the renewed one with the same key',
    `${renew} root r; mv r.crt old; root r; pair r; cat old r.crt >tls.crt`,
  ),
  ready(
    'an expired certificate behind the renewed one with the same key',
    `${renew} root r; mv r.crt old; root r; pair r; cat r.crt old >tls.crt`,
  ),
  ready(
    'an expired intermediate and the renewed one',
    `root r; ${renew} intermediate int r; mv int.crt old; intermediate int r; pair int; cat old int.crt r.crt >tls.crt`,
  ),
  ready(
    'an expired root and the renewed one above an intermediate',
    `${renew} root r; intermediate int r; mv r.crt old; root r; pair int; cat old r.crt >ca.crt`,
  ),
  ready(
    'two valid certificates of one key, in either order',
    'DAYS=30 root r; mv r.crt old; root r; pair r; cat old r.crt >tls.crt',
  ),
  refused('an intermediate below an expired root', `${renew} root r; intermediate int r; pair int r`, {
    ground: 'path',
    message: /CN=r .*expired.*2024-01-01/,
    remedy: 'Renew the root with the same key and put it into ca.crt.',
  }),
  refused('an expired intermediate', `root r; ${renew} intermediate int r; pair int r`, {
    ground: 'path',
    message: /CN=int .*expired.*2024-01-01/,
    remedy: 'Have the root sign it again.',
  }),
  ready(
    'a re-keyed root, old and new in ca.crt, with key identifiers',
    'root r; intermediate int r; cp r.crt old; rm r.key; root r; pair int; cat r.crt old >ca.crt',
  ),
  ready(
    'a re-keyed root, old and new in tls.crt',
    'root r; cp r.crt old; rm r.key; root r; pair r; cat old r.crt >tls.crt',
  ),
  ready(
    'cross-signed: the new root signs the old root, whose key signs',
    'root old; root new; cp old.key cross.key; SUBJECT=/CN=old intermediate cross new; pair cross; cp new.crt ca.crt',
  ),
  ready(
    'cross-signed: an intermediate below both roots',
    'root old; intermediate int old; root new; cp old.key cross.key; SUBJECT=/CN=old intermediate cross new; pair int cross; cat old.crt new.crt >ca.crt',
  ),
  ready(
    'cross-signed in a circle, with one root',
    'root a; root b; cp a.key ab.key; SUBJECT=/CN=a intermediate ab b; cp b.key ba.key; SUBJECT=/CN=b intermediate ba a; intermediate int a; pair int ab ba a',
  ),
  refused(
    'cross-signed, without either root',
    'root old; intermediate int old; root new; cp old.key cross.key; SUBJECT=/CN=old intermediate cross new; pair int cross',
    missing('old', 'new'),
  ),
  refused(
    'the root was renewed, and the intermediate names it by issuer and serial',
    'root r; certify int r "$CA" authorityKeyIdentifier=keyid:always,issuer:always; root r; pair int r',
    {
      ground: 'path',
      message: /CN=int.*serial/i,
      remedy: 'Put the root back that the intermediate names, or have the renewed root sign the intermediate again.',
    },
  ),
  ready(
    'an intermediate that names its root by issuer and serial',
    'root r; certify int r "$CA" authorityKeyIdentifier=keyid:always,issuer:always; pair int r',
  ),
  refused(
    'names that differ in case',
    'SUBJECT="/CN=Shop Root" root r; intermediate int r; SUBJECT="/CN=SHOP ROOT" root r; pair int r',
    {
      ground: 'path',
      message: /CN=int.*(case|byte|string type|missing)/,
      remedy: 'Go compares names as bytes: put the root there under whose name the intermediate was signed.',
    },
  ),
  refused(
    'names that differ in string type',
    'SUBJECT=/CN=shop root r; intermediate int r; REQUEST="-config printable.cnf"; printf "[req]\\ndistinguished_name=dn\\nstring_mask=MASK:0x2\\n[dn]\\n" >printable.cnf; SUBJECT=/CN=shop root r; pair int r',
    {
      ground: 'path',
      message: /CN=int.*(case|byte|string type|missing)/,
      remedy: 'Go compares names as bytes: put the root there under whose name the intermediate was signed.',
    },
  ),
  refused(
    'an intermediate with the name of its root and no authority key identifier',
    'SUBJECT=/CN=shop root r; SUBJECT=/CN=shop certify int r "$CA" authorityKeyIdentifier=none; pair int r',
    {
      ground: 'path',
      message: /CN=shop/,
      remedy: 'Give the intermediate a name of its own.',
    },
  ),
];
