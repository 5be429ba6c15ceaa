/** How often a question is asked. */
export interface Repeat {
  /** New processes: what the compiler makes of the same code differs from one to the next. */
  readonly starts: number;
  /** Samples of each. */
  readonly rounds: number;
}

/** How long and how often to measure. */
export interface Effort {
  readonly repeat: Repeat;
  /** Milliseconds that one sample of a fast operation lasts, and how long it is run before the first. */
  readonly slice: number;
  readonly warmUp: number;
  /** What "a million entries" are in this run. */
  readonly million: number;
}

export const FULL: Effort = { repeat: { starts: 3, rounds: 3 }, slice: 100, warmUp: 400, million: 1_000_000 };
export const QUICK: Effort = { repeat: { starts: 1, rounds: 3 }, slice: 40, warmUp: 200, million: 100_000 };

/** Makes one measurement, in the question's unit. */
export type Sample = () => number | Promise<number>;

/** One thing that is measured, in a process of its own. */
export interface Row {
  readonly name: string;
  /** Set up and warmed up, it returns what is asked for a sample each round. */
  prepare(effort: Effort): Promise<Sample> | Sample;
  /** What theory says the figure should be. */
  readonly expected?: number;
}

/** What one file asks of every library. Less is better, in every question. */
export interface Question {
  readonly title: string;
  /** What is asked and how it is measured, for the reader of the results. */
  readonly asks: string;
  readonly unit: string;
  readonly rows: readonly Row[];
  /** The rows that others are compared with. */
  readonly against: readonly string[];
  /** Rows are measured one after the other, each in a process that ends before the next begins: for those that fill the memory. */
  readonly alone?: boolean;
  /** Where it is not as often as the effort says. */
  readonly repeat?: Repeat;
  /** Options of V8 for the measuring processes. */
  readonly nodeOptions?: readonly string[];
  /** Drawn in the chart, on this scale. */
  readonly scale?: 'log' | 'linear';
  readonly targets?: readonly Target[];
}

/** What the project promised. */
export interface Target {
  readonly promise: string;
  /** The figure in question, and whether it keeps the promise. */
  judge(figures: Figures): { readonly figure: string; readonly kept: boolean };
}

/** What the samples of a question came to. */
export interface Figures {
  /** The median of a row. */
  of(row: string): number;
  /** The median over the rounds of one row's sample divided by the other's. */
  ratio(row: string, other: string): number;
}
