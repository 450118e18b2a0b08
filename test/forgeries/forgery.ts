/** What the tables of wrong answers are made of. */
import { altered, type Honest, type Issuer, type Wish } from './forging.ts';

/** The chain that is answered, as PEM; or whatever stands there in its place. */
export type Forge = (honest: Honest) => readonly unknown[];

export interface Forgery {
  readonly forge: Forge;
  /** Part of what Certwheel says of it. */
  readonly says: string;
  /** Wrong only in what was there before. */
  readonly onlyRenewal?: boolean;
}

export type Forgeries = Readonly<Record<string, Forgery>>;

/** The right certificate but for what is wished, with the right intermediate behind it. */
export function but(wish: (honest: Honest) => Wish): Forge {
  return (honest) => [altered(honest, wish(honest)), honest.intermediate.pem];
}

/** The right certificate, but from a CA below the right intermediate. */
export function from(make: (honest: Honest) => Issuer): Forge {
  return (honest) => {
    const issuer = make(honest);
    return [altered(honest, { issuer }), issuer.certificate.pem, honest.intermediate.pem];
  };
}
