import { describe, expect, it } from 'vitest';
import { key, tag } from '../coherence/target.ts';
import { Collected } from './changes.ts';
import { Repository, type Work } from './repository.ts';
import { createTouches } from './touches.ts';

interface User {
  id: number;
  orgId: string;
}

type Rows = Map<number, User>;

const touches = createTouches<{ user: User }>({ user: (it) => [key('user', it.id), tag(`org:${it.orgId}`)] });

/** On rows in memory, which are handed out themselves: a change in place is a change of what was read. */
class Users extends Repository<{ user: User }, 'user', Rows, number> {
  constructor() {
    super(touches, 'user');
  }

  protected override find({ tx }: Work<Rows>, id: number): Promise<User | undefined> {
    return Promise.resolve(tx.get(id));
  }

  protected override write({ tx }: Work<Rows>, user: User): Promise<User> {
    tx.set(user.id, user);
    return Promise.resolve(user);
  }

  protected override remove({ tx }: Work<Rows>, id: number): Promise<void> {
    tx.delete(id);
    return Promise.resolve();
  }

  protected override idOf({ id }: User): number {
    return id;
  }
}

const users = new Users();
const begin = (...rows: User[]): Work<Rows> & { changes: Collected } => ({
  tx: new Map(rows.map((row) => [row.id, row])),
  changes: new Collected(),
});

describe('a repository', () => {
  it('touches what an entity is, where it is new', async () => {
    const work = begin();
    expect(await users.save(work, { id: 1, orgId: 'A' })).toEqual({ id: 1, orgId: 'A' });
    expect(work.changes.close()).toEqual([key('user', 1), tag('org:A')]);
  });

  it('touches what it was and what it is, where it is stored again', async () => {
    const work = begin({ id: 1, orgId: 'A' });
    await users.save(work, { id: 1, orgId: 'B' });
    expect(work.changes.close()).toEqual([key('user', 1), tag('org:A'), key('user', 1), tag('org:B')]);
  });

  it('touches both where it is changed in place', async () => {
    for (const change of [
      (user: User) => ({ ...user, orgId: 'B' }),
      (user: User) => {
        user.orgId = 'B';
        return user;
      },
    ]) {
      const work = begin({ id: 1, orgId: 'A' });
      expect(await users.update(work, 1, change)).toEqual({ id: 1, orgId: 'B' });
      expect(work.changes.close()).toEqual([key('user', 1), tag('org:A'), key('user', 1), tag('org:B')]);
    }
  });

  it('touches what it was, where it is deleted', async () => {
    const work = begin({ id: 1, orgId: 'A' });
    expect(await users.delete(work, 1)).toBe(true);
    expect(work.tx.size).toBe(0);
    expect(work.changes.close()).toEqual([key('user', 1), tag('org:A')]);
  });

  it('touches nothing where there is none', async () => {
    const work = begin();
    expect(await users.update(work, 1, () => ({ id: 1, orgId: 'B' }))).toBeUndefined();
    expect(await users.delete(work, 1)).toBe(false);
    expect(work.changes.close()).toEqual([]);
  });
});
