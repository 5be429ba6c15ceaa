import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { asProblem, noSuchRoute, type Problem, unreadable } from '../domain/problem.ts';

/** Every failure as `{ error, message, field?, cure? }`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #host: HttpAdapterHost;

  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    this.#host = host;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<{ method: string; url: string }>();
    const response = http.getResponse<object>();
    const problem = problemOf(error, request);
    if (problem.statusCode >= 500) new Logger('Franchise').error('request failed', error);
    const { httpAdapter } = this.#host;
    if (problem.statusCode === 401) httpAdapter.setHeader(response, 'www-authenticate', 'Bearer');
    const { code, message, field, cure } = problem;
    httpAdapter.reply(response, { error: code, message, field, cure }, problem.statusCode);
  }
}

function problemOf(error: unknown, { method, url }: { method: string; url: string }): Problem {
  if (!(error instanceof HttpException)) return asProblem(error) ?? unreadable(400, String(error));
  const status = error.getStatus();
  return status === 404 ? noSuchRoute(method, url) : unreadable(status, error.message);
}
