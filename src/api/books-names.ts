// Names of what Certwheel keeps about certificates that it has issued and revoked.

/** The Secret of the controller's namespace that keeps the key of its books, and its label: `key`. */
export const BOOKS_NAME = 'certwheel-books';
export const BOOKS_LABEL = 'certwheel.io/books';

/** On the Secret that keeps the register of an authority's revocations: the authority's name; its kind is in AUTHORITY_KIND_LABEL. */
export const REVOCATIONS_OF_LABEL = 'certwheel.io/revocations-of';

/** On a ClientCertificate whose certificates are revoked when it is deleted. */
export const REVOCATION_FINALIZER = 'certwheel.io/revocation';

/**
 * On a ConfigMap that holds a CRL, or a part of a long one: the uid of the authority. And the CA generation; the number of the
 * CRL, its SHA-256 (hex), and which part of how many this is, such as `1/3`.
 */
export const CRL_OF_LABEL = 'certwheel.io/crl-of';
export const CRL_GENERATION_ANNOTATION = 'certwheel.io/crl-generation';
export const CRL_NUMBER_ANNOTATION = 'certwheel.io/crl-number';
export const CRL_DIGEST_ANNOTATION = 'certwheel.io/crl-digest';
export const CRL_PART_ANNOTATION = 'certwheel.io/crl-part';
/** For people: when verifiers refuse it, and its size. */
export const CRL_NEXT_UPDATE_ANNOTATION = 'certwheel.io/crl-next-update';
export const CRL_BYTES_ANNOTATION = 'certwheel.io/crl-bytes';

/** The Secret with the keys that sign OCSP answers, for the responder; and the label by which it is Certwheel's. */
export const RESPONDER_KEYS_NAME = 'certwheel-responder';
export const RESPONDER_KEYS_LABEL = 'certwheel.io/responder-keys';

/** The ConfigMap that says how far the audit log was written. */
export const AUDIT_CHECKPOINT_NAME = 'certwheel-audit';
