/** What the consistency sampler has found, as far as commands tell of it. */
export interface Samples {
  readonly violations: readonly {
    readonly key: string;
    /** `violation`, or what else a comparison has shown. */
    readonly kind: string;
  }[];
}
