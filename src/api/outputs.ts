import type { ClientCertificateSpec, SecretKeyReference } from './generated/types.ts';

/** The files of a Secret beside tls.crt, tls.key and ca.crt. */
export interface Outputs {
  /** tls-combined.pem. */
  readonly combinedPem: boolean;
  /** key.der. */
  readonly derKey: boolean;
  readonly pkcs12: Pkcs12Output | undefined;
  readonly jks: StoreOutput | undefined;
  /** Further names of the three PEM files. */
  readonly names: { readonly certificate?: string; readonly privateKey?: string; readonly ca?: string };
}

/** A key store and a trust store under one password. */
export interface StoreOutput {
  readonly alias: string;
  readonly password: SecretKeyReference;
}

export interface Pkcs12Output extends StoreOutput {
  readonly profile: 'Modern2023' | 'LegacyDES' | 'LegacyRC2';
}

export const NO_OUTPUTS: Outputs = Object.freeze({
  combinedPem: false,
  derKey: false,
  pkcs12: undefined,
  jks: undefined,
  names: Object.freeze({}),
});

export function parseOutputs(
  spec: Pick<ClientCertificateSpec, 'additionalOutputFormats' | 'keystores' | 'secretDataNames'>,
): Outputs {
  const { additionalOutputFormats = [], keystores = {}, secretDataNames = {} } = spec;
  if (additionalOutputFormats.length === 0 && spec.keystores === undefined && spec.secretDataNames === undefined)
    return NO_OUTPUTS;
  const has = (wanted: string) => additionalOutputFormats.some(({ type }) => type === wanted);
  const { pkcs12, jks } = keystores;
  return {
    combinedPem: has('CombinedPEM'),
    derKey: has('DER'),
    pkcs12: pkcs12?.create
      ? { alias: pkcs12.alias, password: pkcs12.passwordSecretRef, profile: pkcs12.profile }
      : undefined,
    jks: jks?.create ? { alias: jks.alias, password: jks.passwordSecretRef } : undefined,
    names: secretDataNames,
  };
}

/** The stores that are asked for, each with its output. */
export function storesOf({ pkcs12, jks }: Outputs): readonly StoreOutput[] {
  return [pkcs12, jks].filter((each) => each !== undefined);
}
