import type { Unsubscribe } from '../coherence/log.ts';
import type { PartContext } from '../coherence/part.ts';
import type { RelayEvent, RelayListener } from './relay-event.ts';

/** Hands a relay's events to its listeners, and writes those that people need to know into the log file. */
export class RelayJournal {
  readonly #context: Pick<PartContext, 'logger' | 'name'>;
  readonly #listeners = new Set<RelayListener>();

  constructor(context: Pick<PartContext, 'logger' | 'name'>) {
    this.#context = context;
  }

  on(listener: RelayListener): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: RelayEvent): void {
    this.#write(event);
    for (const listener of this.#listeners) {
      try {
        const answer: unknown = listener(event);
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#noteListener(error));
      } catch (error) {
        this.#noteListener(error);
      }
    }
  }

  #write(event: RelayEvent): void {
    const level = levelOf(event);
    if (level === undefined) return;
    const name = `relay_${event.type.replaceAll('-', '_')}`;
    const { error, cause, ...fields } = event as RelayEvent & { error?: unknown; cause?: unknown };
    const about = error ?? cause;
    const part = 'to' in event ? ` to=${event.to}` : 'part' in event ? ` part=${event.part}` : '';
    const text = about === undefined ? '' : `: ${textOf(about)}`;
    this.#context.logger?.[level](
      { ...fields, event: name, log: this.#context.name, ...(about === undefined ? {} : { err: about }) },
      `${name}${part}${text}`,
    );
  }

  #noteListener(error: unknown): void {
    this.#context.logger?.error({ event: 'relay_listener', err: error }, 'relay_listener: a listener has failed');
  }
}

/** `undefined`: not written. A server that does not answer is told of less and less often. */
function levelOf(event: RelayEvent): 'debug' | 'info' | 'warn' | 'error' | undefined {
  switch (event.type) {
    case 'active':
    case 'slot-streaming':
    case 'slot-mended':
      return 'info';
    case 'standby':
      return event.cause === undefined ? 'info' : 'warn';
    case 'reconnecting':
      return Number.isInteger(Math.log2(event.failures)) ? 'warn' : undefined;
    case 'failed':
    case 'undecodable':
    case 'slot-gap':
    case 'slot-dropped':
    case 'unknowable-change':
      return 'error';
    case 'slot-waiting':
    case 'closed-announcement':
      return 'warn';
    case 'appended':
    case 'duplicate':
    case 'bound':
      return 'debug';
    default:
      return event satisfies never;
  }
}

/** A failed attempt at several addresses has no message of its own. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as { code?: string }).code || error.name;
}
