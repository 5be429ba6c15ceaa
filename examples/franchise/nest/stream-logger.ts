import type { Writable } from 'node:stream';
import type { LoggerService } from '@nestjs/common';

const levels = ['debug', 'info', 'warn', 'error', 'silent'];

/** Writes lines of JSON, as the Fastify edition does. */
export class StreamLogger implements LoggerService {
  readonly #least: number;
  readonly #stream: Writable;

  constructor({ level, stream }: { level: string; stream: Writable }) {
    this.#least = levels.indexOf(level);
    this.#stream = stream;
  }

  debug(message: unknown, ...details: unknown[]): void {
    this.#write('debug', message, details);
  }

  log(message: unknown, ...details: unknown[]): void {
    this.#write('info', message, details);
  }

  warn(message: unknown, ...details: unknown[]): void {
    this.#write('warn', message, details);
  }

  error(message: unknown, ...details: unknown[]): void {
    this.#write('error', message, details);
  }

  /** @param details end with the context: what of the application speaks */
  #write(level: string, msg: unknown, details: unknown[]): void {
    if (levels.indexOf(level) < this.#least) return;
    const err = details.find((it) => it instanceof Error);
    const line = { level, time: Date.now(), context: details.at(-1), msg, ...(err && { err: err.stack }) };
    this.#stream.write(`${JSON.stringify(line)}\n`);
  }
}
