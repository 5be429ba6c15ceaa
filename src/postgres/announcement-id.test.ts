import { expect, it } from 'vitest';
import { announcementId, databaseMark, transactionOf } from './announcement-id.ts';

it('is a message id that names its transaction and database', () => {
  const database = databaseMark('7432/5');
  for (const xid of [3n, 4_294_967_296n, 2n ** 64n - 1n]) {
    const id = announcementId({ xid, database }, '0badcafe');
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(id.endsWith('0badcafe')).toBe(true);
    expect(transactionOf(id)).toEqual({ xid, database });
  }
});

it('tells databases apart', () => {
  expect(databaseMark('7432/5')).toMatch(/^[0-9a-f]{8}$/);
  expect(databaseMark('7432/5')).toBe(databaseMark('7432/5'));
  expect(databaseMark('7432/6')).not.toBe(databaseMark('7432/5'));
});
