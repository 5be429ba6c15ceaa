import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** The frameworks below NestJS. */
export const platforms = {
  Express: () => new ExpressAdapter(),
  Fastify: () => new FastifyAdapter(),
};

export type Platform = keyof typeof platforms;

/** A NestJS application that listens on a free port. */
export interface RunningApp {
  readonly app: INestApplication;
  readonly url: string;
}

/** @returns a module made of `metadata` */
export function moduleOf(metadata: ModuleMetadata): Type {
  @Module(metadata)
  class TestModule {}
  return TestModule;
}

/** Starts an application; `app.close()` ends it. It says nothing, and throws where Nest would end the process. */
export async function startNest(metadata: ModuleMetadata, platform: Platform = 'Express'): Promise<RunningApp> {
  const app = await createNest(metadata, platform);
  await app.listen(0, '127.0.0.1');
  return { app, url: (await app.getUrl()).replace(/\/$/, '') };
}

/** As {@link startNest}, not started yet. */
export function createNest(metadata: ModuleMetadata, platform: Platform = 'Express'): Promise<INestApplication> {
  return NestFactory.create(moduleOf(metadata), platforms[platform](), { logger: false, abortOnError: false });
}
