import { waitUntil } from '../../src/testing/wait-until.ts';
import { ask } from '../servers/redis-ask.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { Switch } from './switch.ts';

const PATIENT = { timeout: 20_000, every: 10 };

/** The servers of one run: a primary, its replicas, and where there are any, switches by which processes find the primary. */
export class Deployment {
  readonly #servers: readonly RedisServer[];
  readonly #switches: Switch[] = [];
  readonly #urls: string[] = [];
  #primary: RedisServer;

  private constructor(servers: readonly [RedisServer, ...RedisServer[]]) {
    this.#servers = servers;
    this.#primary = servers[0];
  }

  /** @param args of the primary */
  static async start(processes: number, replicas: number, args: readonly string[]): Promise<Deployment> {
    const primary = await startRedis({ args });
    const follow = ['--replicaof', '127.0.0.1', String(primary.port)];
    const others = await Promise.all(Array.from({ length: replicas }, () => startRedis({ args: follow })));
    const deployment = new Deployment([primary, ...others]);
    for (let node = 0; node < processes; node++) {
      if (replicas === 0) deployment.#urls.push(primary.url);
      else {
        const way = new Switch(primary.port);
        deployment.#switches.push(way);
        deployment.#urls.push(await way.open());
      }
    }
    for (const other of others) await isReplica(other);
    return deployment;
  }

  get primary(): RedisServer {
    return this.#primary;
  }

  /** Where a process finds the primary. */
  urlOf(node: number): string {
    return this.#urls[node] as string;
  }

  /** The primary dies, a replica is promoted, everybody is led there, and the old one follows it. */
  async failOver(outage: () => Promise<void>): Promise<void> {
    const old = this.#primary;
    const heir = this.#others()[0] as RedisServer;
    await old.kill();
    await outage();
    await ask(heir.port, 'REPLICAOF', 'NO', 'ONE');
    this.#primary = heir;
    this.#switches.forEach((way) => this.#lead(way, heir, true));
    await old.restart();
    await follow(old, heir);
  }

  /**
   * Some processes stay with the old primary, which has lost its replicas; one of them is promoted and has the other. The
   * other changes sides before: one that confirmed for both would be outside of what `replicas: 1` promises.
   *
   * @param nodes who stays behind
   * @param cut whether their connections end when it is over, or outlive the change of role
   */
  async split(nodes: ReadonlySet<number>, cut: boolean, apart: () => Promise<void>): Promise<void> {
    const old = this.#primary;
    const [heir, other] = this.#others() as [RedisServer, RedisServer];
    await follow(other, heir);
    await ask(heir.port, 'REPLICAOF', 'NO', 'ONE');
    this.#primary = heir;
    this.#switches.forEach((way, node) => {
      if (!nodes.has(node)) this.#lead(way, heir, true);
    });
    await apart();
    await ask(old.port, 'REPLICAOF', '127.0.0.1', String(heir.port));
    this.#switches.forEach((way, node) => {
      if (nodes.has(node)) this.#lead(way, heir, cut);
    });
    await isReplica(old);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#switches.map((way) => way.close()), ...this.#servers.map((server) => server.stop())]);
  }

  #others(): readonly RedisServer[] {
    return this.#servers.filter((server) => server !== this.#primary);
  }

  #lead(way: Switch, to: RedisServer, cut: boolean): void {
    way.turn(to.port);
    if (cut) way.cut();
  }
}

async function follow(server: RedisServer, primary: RedisServer): Promise<void> {
  await ask(server.port, 'REPLICAOF', '127.0.0.1', String(primary.port));
  await isReplica(server);
}

async function isReplica({ port }: RedisServer): Promise<void> {
  const isUp = async (): Promise<boolean> =>
    String(await ask(port, 'INFO', 'replication')).includes('master_link_status:up');
  await waitUntil(isUp, { ...PATIENT, what: 'a replica to follow' });
}
