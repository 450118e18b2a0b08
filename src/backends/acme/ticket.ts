import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IssueRequest } from '../backend.ts';
import type { AccountKey } from './jws.ts';

/** What of a request its ticket is bound to. */
export interface TicketOwner extends Pick<IssueRequest, 'id'> {
  readonly requester: Pick<IssueRequest['requester'], 'namespace'>;
}

/**
 * The URL of an order, with a code that only the account's key can make. Tickets are kept where people of the requester's
 * namespace can write, and an authority of the cluster has orders of all namespaces: a forged ticket would reach those of others.
 */
export function ticketOf(url: string, owner: TicketOwner, key: AccountKey): string {
  return `${url}#${codeOf(url, owner, key).toString('base64url')}`;
}

/** The URL of the order; undefined where the ticket isn't one of this request and this account's key. */
export function orderOf(ticket: string, owner: TicketOwner, key: AccountKey): string | undefined {
  const at = ticket.lastIndexOf('#');
  const url = ticket.slice(0, Math.max(0, at));
  const given = Buffer.from(ticket.slice(at + 1), 'base64url');
  const right = codeOf(url, owner, key);
  return given.length === right.length && timingSafeEqual(given, right) ? url : undefined;
}

function codeOf(url: string, { id, requester }: TicketOwner, { privateKey }: AccountKey): Buffer {
  const secret = createHmac('sha256', 'certwheel acme ticket').update(
    privateKey.export({ format: 'der', type: 'pkcs8' }),
  );
  return createHmac('sha256', secret.digest())
    .update(JSON.stringify([requester.namespace, id, url]))
    .digest();
}
