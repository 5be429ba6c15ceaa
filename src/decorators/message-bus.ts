import type { CommandMiddleware } from '../events/index.ts';

/** The part of a bus of commands or queries that is needed: the `CommandBus` and `QueryBus` of NestJS CQRS have it. */
export interface MessageBus {
  execute(message: object, ...context: never[]): Promise<unknown>;
}

/**
 * Runs a middleware around every message that a bus executes, wherever that is called.
 *
 * @param bus one with `execute`, such as the application's `CommandBus` or `QueryBus`
 * @param middleware from `commandInvalidation` or `queryCache`; the one given last is outermost
 * @example
 * class AppModule {
 *   constructor(@InjectCache() cache: Cache, commands: CommandBus, queries: QueryBus) {
 *     useMiddleware(commands, commandInvalidation(cache, [onCommand(RenameUser, ({ id }) => key('users', id))], { logger }));
 *     useMiddleware(queries, queryCache(cache));
 *   }
 * }
 */
export function useMiddleware(bus: MessageBus, middleware: CommandMiddleware): void {
  const execute = bus.execute.bind(bus);
  bus.execute = (message, ...context) => middleware(message, () => execute(message, ...context));
}
