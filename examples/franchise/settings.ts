import { type EditionName, editionNames } from './editions.ts';

/** What the environment says. */
export interface Settings {
  readonly edition: EditionName;
  readonly port: number;
  readonly host: string;
  /** How many processes share the port. */
  readonly instances: number;
  /** Of a Postgres of your own. */
  readonly databaseUrl: string | undefined;
  /** Of the Redis that the instances share. */
  readonly redisUrl: string | undefined;
  /** What tokens are signed with. */
  readonly secret: string;
  readonly logLevel: string;
}

/** @throws Error naming the variable and the cure */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const { EDITION = 'fastify', PORT = '3001', HOST = 'localhost', INSTANCES = '1', LOG_LEVEL = 'info' } = environment;
  // Known to everybody who reads this: fit for made-up books on this machine, and it keeps the tokens from start to start.
  const { DATABASE_URL, REDIS_URL, FRANCHISE_SECRET = 'only for trying it out' } = environment;
  const instances = wholeNumber('INSTANCES', INSTANCES, 1, 16, 'One is the default.');
  if (instances > 1 && REDIS_URL === undefined)
    throw new Error(
      'INSTANCES needs REDIS_URL: instances that do not hear of each other would serve old reports. For example REDIS_URL=redis://localhost:6379.',
    );
  return {
    edition: editionName(EDITION),
    port: wholeNumber('PORT', PORT, 0, 65_535, '0 takes any free port.'),
    host: HOST,
    instances,
    databaseUrl: DATABASE_URL,
    redisUrl: REDIS_URL,
    secret: FRANCHISE_SECRET,
    logLevel: LOG_LEVEL,
  };
}

function editionName(text: string): EditionName {
  const name = editionNames.find((it) => it === text);
  if (name !== undefined) return name;
  throw new Error(`EDITION must be one of ${editionNames.join(', ')}, not "${text}".`);
}

function wholeNumber(name: string, text: string, least: number, most: number, hint: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Error(`${name} must be a number from ${least} to ${most}, not "${text}". ${hint}`);
}
