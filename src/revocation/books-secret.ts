import { BOOKS_LABEL, BOOKS_NAME } from '../api/books-names.ts';
import type { RawObject } from '../api/parse.ts';
import { namesItself, OWN_UID } from '../authority/texts-secret.ts';
import { CREATE_ONLY, type Writable } from '../kube/object.ts';
import { BOOKS_KEY_BYTES } from './books-key.ts';

/** What the Secret with the key of the books is found to be. */
export type BooksFound =
  | { readonly is: 'absent' }
  /** Created, and without its key so far: its uid wasn't known before. */
  | { readonly is: 'blank'; readonly current: Current }
  | { readonly is: 'key'; readonly key: Buffer }
  /** Of another origin: a copy, one of a backup, or one that a user has made. */
  | { readonly is: 'foreign' };

interface Current {
  readonly uid: string;
  readonly resourceVersion: string;
}

const KEY = 'key';

/** Takes only a key that was written into this very Secret: see namesItself. */
export function readBooksSecret(object: RawObject | undefined): BooksFound {
  if (object === undefined) return { is: 'absent' };
  const { metadata = {}, data = {} } = object;
  const { uid = '', resourceVersion = '', labels = {} } = metadata;
  const key = Buffer.from(data[KEY] ?? '', 'base64');
  if (namesItself(object) && key.length === BOOKS_KEY_BYTES) return { is: 'key', key };
  const isBlank = labels[BOOKS_LABEL] === KEY && Object.keys(data).length === 0;
  return isBlank ? { is: 'blank', current: { uid, resourceVersion } } : { is: 'foreign' };
}

/** The Secret as it is created, without its key. */
export function blankBooksSecret(namespace: string): Writable {
  return manifestOf(namespace, { resourceVersion: CREATE_ONLY }, {});
}

/** The Secret with its key, on the condition that it still is `current`. */
export function booksSecret(namespace: string, key: Buffer, current: Current): Writable {
  const data = { [KEY]: key.toString('base64'), [OWN_UID]: Buffer.from(current.uid).toString('base64') };
  return manifestOf(namespace, { ...current }, data);
}

function manifestOf(namespace: string, condition: object, data: Readonly<Record<string, string>>) {
  const metadata = { namespace, name: BOOKS_NAME, ...condition, labels: { [BOOKS_LABEL]: KEY } };
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
}
