import type { NestApplicationOptions } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Edition, Service, ServiceParts } from '../service.ts';
import { acceptNothingButJson } from '../fastify/json-only.ts';
import { franchiseModule } from './franchise.module.ts';
import { StreamLogger } from './stream-logger.ts';

export const nestOnExpress: Edition = (parts) => nestEdition(parts, new ExpressAdapter());

export const nestOnFastify: Edition = (parts) => {
  const adapter = new FastifyAdapter();
  acceptNothingButJson(adapter.getInstance());
  return nestEdition(parts, adapter, { bodyParser: false });
};

async function nestEdition(
  parts: ServiceParts,
  adapter: AbstractHttpAdapter,
  options: NestApplicationOptions = {},
): Promise<Service> {
  const app = await NestFactory.create(franchiseModule(parts), adapter, {
    ...options,
    logger: parts.log && new StreamLogger(parts.log),
    abortOnError: false,
  });
  return {
    async listen(port, host) {
      await app.listen(port, host);
      return (await app.getUrl()).replace(/\/$/, '');
    },
    close: () => app.close(),
  };
}
