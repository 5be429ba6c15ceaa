import type { Clock } from '../coherence/clock.ts';
import type { Operations } from '../operations/index.ts';
import type { LiveStream } from './live-stream.ts';

/** What Prometheus is given. */
export interface PrometheusText {
  readonly contentType: string;
  readonly body: string;
}

/** What routes answer from. */
export interface AdminParts {
  readonly operations: Operations;
  readonly clock: Clock;
  readonly stream: LiveStream;
  readonly prometheus: (() => PrometheusText | Promise<PrometheusText>) | undefined;
  /** Whether the value of a key may be shown. */
  readonly showsValue: (key: string) => boolean;
  readonly openapi: () => Readonly<Record<string, unknown>>;
}
