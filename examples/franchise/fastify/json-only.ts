import type { FastifyInstance } from 'fastify';

/** Bodies of any other type are refused with 415. */
export function acceptNothingButJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Many clients say "JSON" on every request. Where a route needs no body, sending none is no error.
    if (body === '') done(null, undefined);
    else void parse(request, body as string, done);
  });
}
