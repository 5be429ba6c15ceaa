import type { CallHandler, ExecutionContext, NestInterceptor, OnModuleDestroy } from '@nestjs/common';
import { Inject } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Observable, tap } from 'rxjs';

/** A client that was answered while the service closes would otherwise keep its connection, and the service with it. */
export class ClosingInterceptor implements NestInterceptor, OnModuleDestroy {
  readonly #host: HttpAdapterHost;
  #closing = false;

  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    this.#host = host;
  }

  onModuleDestroy(): void {
    this.#closing = true;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const response = context.switchToHttp().getResponse<object>();
    const endConnection = (): void => {
      if (this.#closing) this.#host.httpAdapter.setHeader(response, 'connection', 'close');
    };
    return next.handle().pipe(tap({ next: endConnection, error: endConnection }));
  }
}
