import { AuthorityError } from '../../errors.ts';

/** Public CAs whose certificates are no client certificates, by the end of their host names. */
const PUBLIC: readonly { readonly host: string; readonly says: string }[] = [
  {
    host: 'letsencrypt.org',
    says: "Let's Encrypt issues no client certificates: its profile classic lost client auth on 2026-02-11, and the profile tlsclient ended on 2026-07-08",
  },
];

/** Throws an AuthorityError for the directory of a CA that is known to issue certificates for servers alone. */
export function refusePublicCa(server: string): void {
  if (!URL.canParse(server)) return;
  const { hostname } = new URL(server);
  const found = PUBLIC.find(({ host }) => hostname === host || hostname.endsWith(`.${host}`));
  if (found === undefined) return;
  throw new AuthorityError(
    'AuthorityMisconfigured',
    `${found.says}; name in server the directory of a private CA, such as step-ca or Vault`,
  );
}
