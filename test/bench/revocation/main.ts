/** Prints what revocation lists cost, and how many OCSP answers one core gives: `make bench-revocation` */
import { measureLists } from './lists.ts';
import { measureResponders } from './responders.ts';

await measureLists();
await measureResponders();
