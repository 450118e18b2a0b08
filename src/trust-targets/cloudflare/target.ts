import type { CloudflareMTLS } from '../../api/generated/types.ts';
import { type ApiDeps, CloudflareApi } from '../../backends/cloudflare/api.ts';
import { readHostnames, shownHostnames, writeHostnames } from '../../backends/cloudflare/hostnames.ts';
import { AuthorityError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { CertificateView } from '../../pki/certificate.ts';
import type { Trouble } from '../../trouble.ts';
import { countedUploads, planOf, readUpload, type Upload, uploadName, type Wanted } from './uploads.ts';

/** No account has as many; more would be no answer of Cloudflare's. */
const MOST_UPLOADS = 200;
/** Of all of them together, since all are kept until the next reading. */
const MOST_HOSTNAMES = 5_000;

/** What an account held when it was read. */
export interface AccountState {
  readonly uploads: readonly Upload[];
  /** All certificates of the account, those that can't be read too. */
  readonly total: number;
  readonly readAt: Date;
}

export type TargetDeps = ApiDeps & { readonly log: Logger; readonly name: string };

/** The CA certificates of one account, with the hostnames of one zone. Throws AuthorityErrors. */
export class CloudflareTarget {
  readonly #spec: CloudflareMTLS;
  readonly #deps: TargetDeps;
  readonly #api: CloudflareApi;
  /** Since when the hostnames of a certificate are as they should be, where this process has set them. */
  readonly #associatedAt = new Map<string, Date>();
  #state: AccountState | undefined;

  constructor(spec: CloudflareMTLS, deps: TargetDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#api = new CloudflareApi(spec, deps);
  }

  get state(): AccountState | undefined {
    return this.#state;
  }

  /** Since when the account has held a certificate with its hostnames, as far as is known. */
  since({ fingerprint, uploadedOn }: Upload): Date {
    const readAt = this.#state?.readAt ?? this.#deps.clock.now();
    const moments = [uploadedOn ?? readAt, this.#associatedAt.get(fingerprint) ?? uploadedOn ?? readAt];
    // By Cloudflare's clock, which may be ahead.
    return new Date(Math.min(readAt.getTime(), Math.max(...moments.map((each) => each.getTime()))));
  }

  async read(signal: AbortSignal): Promise<AccountState> {
    const { account, zone } = this.#spec;
    const what = `listing the CA certificates of account ${account}`;
    const { result } = await this.#api.get({ method: 'GET', path: this.#path() }, what, this.#place, signal);
    if (!Array.isArray(result) || result.length > MOST_UPLOADS)
      throw new AuthorityError('InvalidAnswer', `${this.#api.server}: ${what} was answered without a list`);
    const uploads: Upload[] = [];
    let total = 0;
    for (const each of result.flatMap((value) => readUpload(value) ?? [])) {
      const hostnames = zone === undefined ? [] : await readHostnames(this.#api, zone, each.id, signal);
      total += hostnames.length;
      if (total > MOST_HOSTNAMES)
        throw new AuthorityError('InvalidAnswer', `${this.#api.server}: account ${account} has too many hostnames`);
      uploads.push({ ...each, hostnames });
    }
    this.#state = { uploads, total: result.length, readAt: this.#deps.clock.now() };
    return this.#state;
  }

  /** Makes the account hold what is wanted, and reads it back. Answers why it doesn't. */
  async write(wanted: Wanted, signal: AbortSignal): Promise<Trouble | undefined> {
    const before = await this.read(signal);
    const { remove, upload } = planOf(before.uploads, before.total, wanted);
    for (const each of remove) await this.#remove(each, signal);
    for (const each of upload) await this.#upload(each, wanted.uid, signal);
    const between = remove.length + upload.length === 0 ? before : await this.read(signal);
    const { associate, trouble } = planOf(between.uploads, between.total, wanted);
    for (const { upload: each, hostnames } of associate) await this.#associate(each, hostnames, signal);
    const after = associate.length === 0 ? between : await this.read(signal);
    if (trouble !== undefined) return trouble;
    const open = planOf(after.uploads, after.total, wanted);
    const isDone = open.remove.length + open.upload.length + open.associate.length === 0;
    const message = `account ${wanted.account} does not hold yet what was written into it; it is read again`;
    return isDone ? undefined : { code: 'TrustTargetPending', message };
  }

  /** Those that count for a target: the authority's own, and those of others that it needs. */
  relevant(wanted: Parameters<typeof countedUploads>[1]): readonly Upload[] {
    return countedUploads(this.#state?.uploads ?? [], wanted);
  }

  async #upload(certificate: CertificateView, uid: string, signal: AbortSignal): Promise<void> {
    const name = uploadName(uid, certificate.fingerprintSHA256);
    const body = { ca: true, certificates: certificate.pem, name };
    const what = `uploading a CA certificate to account ${this.#spec.account} (Enterprise plan alone)`;
    await this.#api.get({ method: 'POST', path: this.#path(), body }, what, this.#place, signal);
    this.#log('a CA certificate was uploaded', certificate.fingerprintSHA256);
  }

  async #associate({ id, fingerprint }: Upload, hostnames: readonly string[], signal: AbortSignal): Promise<void> {
    const { zone } = this.#spec;
    if (zone === undefined) return;
    await writeHostnames(this.#api, zone, id, hostnames, signal);
    this.#associatedAt.set(fingerprint, this.#deps.clock.now());
    this.#log('the hostnames of a CA certificate were replaced', fingerprint, hostnames);
  }

  /** Cloudflare refuses to delete one that hostnames ask for. */
  async #remove(upload: Upload, signal: AbortSignal): Promise<void> {
    const { id, fingerprint, hostnames } = upload;
    if (hostnames.length > 0) await this.#associate(upload, [], signal);
    const what = `deleting a CA certificate of account ${this.#spec.account}`;
    await this.#api.get({ method: 'DELETE', path: this.#path(id) }, what, this.#place, signal);
    this.#log('a CA certificate was deleted', fingerprint);
  }

  get #place(): string {
    return `account ${this.#spec.account}`;
  }

  #path(id?: string): string {
    const all = `/accounts/${encodeURIComponent(this.#spec.account)}/mtls_certificates`;
    return id === undefined ? all : `${all}/${encodeURIComponent(id)}`;
  }

  #log(message: string, fingerprint: string, hostnames?: readonly string[]): void {
    const about = { authority: this.#deps.name, account: this.#spec.account, fingerprint };
    this.#deps.log.info(message, { ...about, ...(hostnames && { hostnames: shownHostnames(hostnames) }) });
  }
}
