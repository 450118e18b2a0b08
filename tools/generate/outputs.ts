/** Path below the root of the repository -> content. */
export type Outputs = Record<string, string>;
