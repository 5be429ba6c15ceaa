import type { FastifyReply, FastifyRequest } from 'fastify';
import { asProblem, unreadable } from '../domain/problem.ts';

/** Fastify's error handler: every failure as `{ error, message, field?, cure? }`. */
export async function replyWithProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const refused = error as { statusCode: number; message: string };
  const problem = asProblem(error) ?? unreadable(refused.statusCode, refused.message);
  if (problem.statusCode >= 500) request.log.error({ err: error }, 'request failed');
  if (problem.statusCode === 401) reply.header('www-authenticate', 'Bearer');
  const { code, message, field, cure } = problem;
  await reply.code(problem.statusCode).send({ error: code, message, field, cure });
}
