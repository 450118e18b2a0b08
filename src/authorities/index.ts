import type { AuthorityDefinition } from './authority.ts';
import { secret } from './secret.ts';
import { selfManaged } from './self-managed.ts';
import { stepCA } from './step-ca.ts';
import { vault } from './vault.ts';

/** Every kind of authority that Certwheel can talk to. A new one is its file and its line here. */
export const AUTHORITIES = [
  secret,
  selfManaged,
  stepCA,
  vault,
] as const satisfies readonly AuthorityDefinition<never>[];
