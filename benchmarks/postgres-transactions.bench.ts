import { transactionQuestion } from './postgres/transaction-question.ts';
import type { Question } from './question.ts';

export const question: Question = transactionQuestion(8);
