/** What a process of the day needs to know. */
export interface Office {
  readonly redis: string;
  readonly database: string;
  /** Of an operator of the HTTP API. */
  readonly token: string;
}

export type DayRequest =
  | { readonly type: 'serve'; readonly office: Office }
  | { readonly type: 'relay'; readonly office: Office }
  | { readonly type: 'storm'; readonly tenant: string; readonly count: number }
  | { readonly type: 'stop' };

export type DayAnswer = { readonly type: 'serves'; readonly url: string } | { readonly type: 'done' };
