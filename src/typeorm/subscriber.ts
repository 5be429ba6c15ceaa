import type {
  AfterQueryEvent,
  EntitySubscriberInterface,
  InsertEvent,
  ObjectLiteral,
  QueryRunner,
  RecoverEvent,
  RemoveEvent,
  SoftRemoveEvent,
  TransactionCommitEvent,
  TransactionRollbackEvent,
  TransactionStartEvent,
  UpdateEvent,
} from 'typeorm';
import {
  type Changes,
  type Row,
  type Statement,
  type Target,
  TidemarkError,
  type TransactionAttempt,
  type Transactions,
} from '../postgres/transaction.ts';
import type { EntityTargets } from './entity-targets.ts';

/** The transaction of a query runner. */
interface Course {
  /** Of one that TypeORM begins and ends: by `save()`, by `transaction()` of the data source itself. */
  readonly attempt: TransactionAttempt | undefined;
  changes: Changes | undefined;
  /** How many have begun: the first is the transaction, the others are savepoints. */
  depth: number;
  /** For each savepoint, what was collected before it. */
  readonly marks: number[];
  /** What was collected when the rollback began. */
  until: number;
}

/** SQLSTATE of a transaction that was rolled back. */
const ROLLED_BACK = '40000';

/**
 * Hears of everything that TypeORM does in transactions: collects what entities touch, keeps apart what belongs to savepoints,
 * and invalidates at the end of the transactions that nobody else ends. Its course, by a query runner's events:
 *
 *     start (depth 1) -> [start -> commit | rollback]* -> before commit: prepared -> COMMIT -> after commit: invalidated
 *                                                     \-> before rollback: dropped
 *
 * A COMMIT that fails is told by its query: whether it was carried out nevertheless is known only by its error.
 */
export class InvalidationSubscriber implements EntitySubscriberInterface<ObjectLiteral> {
  readonly #transactions: Transactions;
  readonly #targets: EntityTargets<never>;
  readonly #courses = new WeakMap<QueryRunner, Course>();

  constructor(transactions: Transactions, targets: EntityTargets<never>) {
    this.#transactions = transactions;
    this.#targets = targets;
  }

  /** Before a transaction that is begun and ended by `Transactions.run`. */
  own(runner: QueryRunner): void {
    this.#courses.set(runner, { attempt: undefined, changes: undefined, depth: 0, marks: [], until: 0 });
  }

  /** Tells where it collects. */
  collectIn(runner: QueryRunner, changes: Changes): void {
    const course = this.#courses.get(runner);
    if (course !== undefined) course.changes = changes;
  }

  afterTransactionStart({ queryRunner }: TransactionStartEvent): void {
    let course = this.#courses.get(queryRunner);
    if (course === undefined) {
      const attempt = this.#transactions.attempt();
      course = { attempt, changes: attempt.changes, depth: 0, marks: [], until: 0 };
      this.#courses.set(queryRunner, course);
    }
    course.depth++;
    if (course.depth > 1) course.marks.push(course.changes?.mark() ?? 0);
  }

  async beforeTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    const course = this.#courses.get(queryRunner);
    if (course?.depth === 1) await course.attempt?.prepare(asking(queryRunner));
  }

  async afterTransactionCommit({ queryRunner }: TransactionCommitEvent): Promise<void> {
    const course = this.#courses.get(queryRunner);
    if (course === undefined) return;
    course.marks.pop();
    course.depth--;
    if (course.depth > 0) return;
    this.#courses.delete(queryRunner);
    // On the same connection: it may be the only one, and is given back only after this.
    await course.attempt?.committed(asking(queryRunner));
  }

  async afterQuery({ query, success, error, queryRunner }: AfterQueryEvent): Promise<void> {
    if (query === 'COMMIT' && !success) await this.#courses.get(queryRunner)?.attempt?.failed(error);
  }

  async beforeTransactionRollback({ queryRunner }: TransactionRollbackEvent): Promise<void> {
    const course = this.#courses.get(queryRunner);
    if (course === undefined) return;
    course.until = course.changes?.mark() ?? 0;
    // Nothing is done for a COMMIT that has failed: its error has been heard of.
    if (course.depth === 1) await course.attempt?.failed(undefined, ROLLED_BACK);
  }

  afterTransactionRollback({ queryRunner }: TransactionRollbackEvent): void {
    const course = this.#courses.get(queryRunner);
    if (course === undefined) return;
    const mark = course.marks.pop();
    course.depth--;
    if (mark !== undefined) course.changes?.forget(mark, course.until);
    if (course.depth === 0) this.#courses.delete(queryRunner);
  }

  beforeUpdate(event: UpdateEvent<ObjectLiteral>): void {
    this.#targets.check(event);
  }

  beforeRemove(event: RemoveEvent<ObjectLiteral>): void {
    this.#targets.check(event);
  }

  beforeSoftRemove(event: SoftRemoveEvent<ObjectLiteral>): void {
    this.#targets.check(event);
  }

  beforeRecover(event: RecoverEvent<ObjectLiteral>): void {
    this.#targets.check(event);
  }

  async afterInsert(event: InsertEvent<ObjectLiteral>): Promise<void> {
    await this.#collect(event.queryRunner, this.#targets.added(event));
  }

  async afterUpdate(event: UpdateEvent<ObjectLiteral>): Promise<void> {
    await this.#collect(event.queryRunner, this.#targets.changed(event));
  }

  async afterRemove(event: RemoveEvent<ObjectLiteral>): Promise<void> {
    await this.#collect(event.queryRunner, this.#targets.removed(event));
  }

  async afterSoftRemove(event: SoftRemoveEvent<ObjectLiteral>): Promise<void> {
    await this.#collect(event.queryRunner, this.#targets.changed(event));
  }

  async afterRecover(event: RecoverEvent<ObjectLiteral>): Promise<void> {
    await this.#collect(event.queryRunner, this.#targets.changed(event));
  }

  async #collect(runner: QueryRunner, targets: readonly Target[]): Promise<void> {
    if (targets.length === 0) return;
    const course = this.#courses.get(runner);
    if (course?.changes !== undefined) return course.changes.invalidate(targets);
    if (runner.isTransactionActive)
      throw new TidemarkError(
        'CLOSED',
        'withInvalidation: this transaction had begun before. Call withInvalidation() right after dataSource.initialize().',
      );
    // Outside any transaction the statement has committed by itself.
    const attempt = this.#transactions.attempt();
    attempt.changes.invalidate(targets);
    await attempt.prepare(asking(runner));
    await attempt.committed(asking(runner));
  }
}

/** Runs statements of ours on the connection of a query runner. */
function asking(runner: QueryRunner): (statement: Statement) => Promise<readonly Row[]> {
  return async ({ text, values }) => (await runner.query(text, [...values])) as readonly Row[];
}
